"""Read and write a folder of peft 0.21, as `PeftModel.from_pretrained` and servers such as vLLM take it."""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.describe import describe
from unidelta.errors import ExchangeError
from unidelta.exchange.folder import Found, marked, pretty, read_json, read_tensors
from unidelta.exchange.peft.dora import PeftDora
from unidelta.exchange.peft.ia3 import PeftIa3
from unidelta.exchange.peft.lora import PeftLora
from unidelta.exchange.peft.method import PREFIX, Foreign, PeftMethod
from unidelta.exchange.peft.oft import PeftOft
from unidelta.exchange.peft.prefix import PeftPrefix
from unidelta.exchange.peft.prompt import PeftPrompt
from unidelta.exchange.peft.vera import PeftVera
from unidelta.exchange.tie import Tie, named_alike, written
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.beside import beside, head_name
from unidelta.injection.injection import Injection
from unidelta.injection.saved import fingerprint_below

VERSION = "0.21.2"
METHODS: tuple[PeftMethod, ...] = (PeftLora(), PeftDora(), PeftVera(), PeftOft(), PeftIa3(), PeftPrefix(), PeftPrompt())
_CONFIG, _TENSORS, _PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
_TASKS = {"encoder-decoder": "SEQ_2_SEQ_LM", "encoder": "SEQ_CLS", "decoder": "CAUSAL_LM"}
_CLASSIFIES = "SEQ_CLS"
_EVERYWHERE = frozenset(
    "auto_mapping base_model_name_or_path bias inference_mode modules_to_save peft_type peft_version revision"
    " task_type use_dora".split()
)


def write(injection: Injection, *, new: Collection[str], asked: str) -> dict[str, str | bytes]:
    """The files of a peft folder.

    Args:
        injection: the deltas.
        new: names of the backbone's parameters that its checkpoint lacks.
        asked: in words, for the error.

    Raises:
        ExchangeError: peft has no such method, or says something else with it.
    """
    method = next((method for method in METHODS if method.is_of(injection)), None)
    if method is None:
        why = f"peft has nothing like {describe(injection.design)}"
        raise ExchangeError(asked, why, "--to adapters for bottleneck adapters, or --to merged for a change of weights")
    if why := list(dict.fromkeys(method.obstacles(injection))):
        instead = "--to merged, or --approximate lora --rank R, where deltas are a change of weights"
        raise ExchangeError(asked, "; ".join(why), instead)
    model, saved = injection.model, beside(injection.model, new)
    config = {
        **dict.fromkeys(("auto_mapping", "revision")),
        "base_model_name_or_path": str(model.config.name_or_path) or None,
        "inference_mode": True,
        "modules_to_save": _modules(saved, head_name(model)),
        "peft_type": method.peft_type,
        "peft_version": VERSION,
        "task_type": _CLASSIFIES if head_name(model) else _TASKS[architecture_of_model(model).family.kind],
        **method.config(injection),
    }
    state = {**injection.stored_state(), **saved}
    tensors = written(_ties(method, injection, saved), state, asked=asked)
    return {_CONFIG: pretty(config), _TENSORS: marked(tensors, config, backbone=fingerprint_below(injection, saved))}


def read(folder: Path, model: PreTrainedModel, *, allow_bin: bool, asked: str) -> Found:
    """The design of a peft folder, and what its tensors are.

    Args:
        folder: of `PeftModel.save_pretrained`.
        model: the stock backbone.
        allow_bin: whether adapter_model.bin may be read where there are no safetensors.
        asked: in words, for the error.

    Raises:
        ExchangeError: it cannot be read, or has no counterpart here.
        DamagedDeltas: it has changed since it was exported.
    """
    config = read_json(folder / _CONFIG, asked=asked)
    _check_version(config.get("peft_version"), asked)
    method = next((method for method in METHODS if method.has(config)), None)
    if method is None:
        if "peft_type" not in config:
            raise ExchangeError(
                asked, "its adapter_config.json is not of peft", "--from adapters, or source='adapters'"
            )
        known = ", ".join(dict.fromkeys(method.peft_type for method in METHODS))
        raise ExchangeError(asked, f"peft_type {config.get('peft_type')} is not read here", f"one of {known}")
    _check_keys(config, method, asked)
    tensors, backbone = read_tensors(folder, (_TENSORS, _PICKLE), config=config, allow_bin=allow_bin, asked=asked)
    foreign = Foreign(asked=asked, config=config, tensors=tensors)
    saved = [name for name, _ in model.named_parameters() if f"{PREFIX}{name}" in tensors]
    return Found(
        design=method.design(foreign, model),
        tensors=tensors,
        ties=lambda injection: _ties(method, injection, saved),
        beside=saved,
        backbone=backbone,
    )


def _ties(method: PeftMethod, injection: Injection, saved: Iterable[str]) -> Sequence[Tie]:
    return [*method.ties(injection), *named_alike(saved, PREFIX)]


def _modules(saved: Iterable[str], head: str | None) -> list[str] | None:
    """The modules whose parameters are saved whole: the head, and those that hold the others."""
    own = {head if head is not None and name.startswith(f"{head}.") else name.rpartition(".")[0] for name in saved}
    return sorted(own) or None


def _check_version(version: Any, asked: str) -> None:
    if version is None:  # before 0.18 it was not written
        return
    found = re.match(r"(\d+)\.(\d+)(\.|$)", str(version))
    known = tuple(map(int, VERSION.split(".")[:2]))
    if found is None or (int(found[1]), int(found[2])) > known:
        why = f"it is of peft {version}; this reads folders of peft up to {'.'.join(map(str, known))}"
        raise ExchangeError(asked, why, "the folder saved again with such a peft, or a newer unidelta")


def _check_keys(config: dict[str, Any], method: PeftMethod, asked: str) -> None:
    read = method.reads | method.ignores | _EVERYWHERE
    unknown = sorted(key for key, value in config.items() if key not in read and value not in (None, False, "", [], {}))
    if config.get("bias") not in (None, "none"):
        unknown.append("bias")
    if unknown:
        why = "; ".join(f"{key}={config[key]} is not read here" for key in unknown)
        raise ExchangeError(asked, why, f"a {method.peft_type} of peft without {', '.join(unknown)}")
