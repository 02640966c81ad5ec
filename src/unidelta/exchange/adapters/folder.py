"""Read and write a folder of adapters 1.3, as `model.load_adapter(DIR, use_safetensors=True)` takes it."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.describe import describe
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.errors import ExchangeError
from unidelta.exchange.adapters.bottleneck import AdaptersBottleneck
from unidelta.exchange.adapters.lora import AdaptersLora
from unidelta.exchange.adapters.method import NAME, AdaptersMethod
from unidelta.exchange.adapters.prefix import AdaptersPrefix
from unidelta.exchange.folder import Found, marked, pretty, read_json, read_tensors
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie, named_alike, written
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.beside import beside, head_name
from unidelta.injection.injection import Injection
from unidelta.injection.saved import fingerprint_below

VERSION = "1.3.0"
METHODS: tuple[AdaptersMethod, ...] = (AdaptersPrefix(), AdaptersLora(), AdaptersBottleneck())
_FAMILIES = ("bart", "roberta", "bert")
_CONFIG, _TENSORS, _PICKLE = "adapter_config.json", "adapter.safetensors", "pytorch_adapter.bin"
_HEAD = ("head_config.json", "model_head.safetensors", "pytorch_model_head.bin")
_POOL, _PREFIXES = ".prefix_tuning.pool.prefix_tunings.", ".prefix_tuning.prefix_tunings."
_EVERYWHERE = frozenset({"architecture"})


def write(injection: Injection, *, new: Collection[str], asked: str) -> dict[str, str | bytes]:
    """The files of a folder of adapters.

    Args:
        injection: the deltas.
        new: names of the backbone's parameters that its checkpoint lacks.
        asked: in words, for the error.

    Raises:
        ExchangeError: adapters has no such method, or says something else with it.
    """
    model, parts = injection.model, injection.parts
    architecture = architecture_of_model(model)
    chosen = {method: own for method in METHODS if (own := [part for part in parts if part.form == method.form])}
    wrong = [] if parts else [f"adapters has nothing like {describe(injection.design)}"]
    wrong += [f"adapters has no {part.form}" for part in parts if part.form not in {method.form for method in METHODS}]
    wrong += [f"it is at layers {part.layers} only" for part in parts if part.layers != "all"]
    wrong += [f"its maps are made by the generator {part.generator}" for part in parts if part.generator is not None]
    wrong += _wrong_family(architecture)
    wrong += [why for method, own in chosen.items() for why in method.obstacles(own)]
    saved = beside(model, new)
    if others := [name for name in saved if not name.startswith(f"{head_name(model)}.")]:
        wrong.append(f"it needs {others[0].rpartition('.')[0]} of the backbone, too, which adapters does not save")
    if wrong:
        instead = "--to peft, or --to merged where deltas are a change of weights"
        raise ExchangeError(asked, "; ".join(dict.fromkeys(wrong)), instead)
    configs = [
        {"architecture": method.architecture, "dropout": 0.0, "leave_out": [], "use_gating": False, **config}
        for method, own in chosen.items()
        for config in method.configs(own, architecture)
    ]
    about = {
        "hidden_size": architecture.width,
        "model_class": type(model).__name__,
        "model_name": str(model.config.name_or_path),
        "model_type": architecture.family.name,
        "version": f"adapters.{VERSION}",
    }
    own = configs[0] if len(configs) == 1 else {"architecture": "union", "configs": configs}
    config = {**about, "name": NAME, "config": own}
    kept = {name: tensor for name, tensor in injection.stored_state().items() if name not in saved}
    tensors = written(_ties(injection, NAME), kept, asked=asked)
    backbone = fingerprint_below(injection, saved)
    files: dict[str, str | bytes] = {_CONFIG: pretty(config), _TENSORS: marked(tensors, config, backbone=backbone)}
    if saved:
        labels = {str(i): name for i, name in (model.config.id2label or {}).items()}
        head = {
            **about,
            "name": None,
            "config": None,
            "num_labels": model.config.num_labels,
            "label2id": {name: int(i) for i, name in labels.items()},
        }
        files |= {
            _HEAD[0]: pretty(head),
            _HEAD[1]: marked(saved, head, backbone=backbone),
        }
    return files


def read(folder: Path, model: PreTrainedModel, *, allow_bin: bool, asked: str) -> Found:
    """The design of a folder of adapters, and what its tensors are.

    Args:
        folder: of `model.save_adapter`.
        model: the stock backbone.
        allow_bin: whether pytorch_adapter.bin may be read where there are no safetensors.
        asked: in words, for the error.

    Raises:
        ExchangeError: it cannot be read, has no counterpart here, or is of another backbone.
        DamagedDeltas: it has changed since it was exported.
    """
    config = read_json(folder / _CONFIG, asked=asked)
    architecture = architecture_of_model(model)
    _check_about(config, architecture, asked)
    own = config.get("config")
    if not isinstance(own, dict):
        raise ExchangeError(asked, f"{_CONFIG} describes no adapter", "the folder as adapters saved it")
    configs = own.get("configs") if own.get("architecture") == "union" else [own]
    parts: list[DeltaSpec] = []
    for each in configs if isinstance(configs, list) else []:
        parts += _method_of(each, asked).parts(each, architecture, asked=asked)
    if not parts:
        raise ExchangeError(asked, "the folder is empty", "the folder as adapters saved it")
    tensors, backbone = read_tensors(folder, (_TENSORS, _PICKLE), config=config, allow_bin=allow_bin, asked=asked)
    head: dict[str, Any] = {}
    if head_name(model) is not None and (folder / _HEAD[0]).is_file():
        about = read_json(folder / _HEAD[0], asked=asked)
        head, _ = read_tensors(folder, _HEAD[1:], config=about, allow_bin=allow_bin, asked=asked)
    saved, name = [*beside(model)] if head else [], str(config.get("name"))
    return Found(
        design=Deltas(parts=tuple(sorted(parts, key=lambda part: list(Slot).index(part.slot)))),
        tensors={**_once(tensors, asked), **head},
        ties=lambda injection: [*_ties(injection, name), *named_alike(saved)],
        beside=saved,
        backbone=backbone,
    )


def _once(tensors: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """The tensors under one name each: adapters also saves prefixes under the name of every attention."""
    found = {name: tensor for name, tensor in tensors.items() if _POOL not in name}
    for name in set(tensors) - set(found):
        first = f"{name.split('.')[0]}{_PREFIXES}{name.split(_POOL)[1]}"
        if first not in found or not found[first].equal(tensors[name]):
            raise ExchangeError(asked, f"{name} is not {first}", "the folder as adapters saved it")
    return found


def _ties(injection: Injection, name: str) -> list[Tie]:
    """The tensors of every delta, by the method of its part."""
    placed = placed_deltas(injection)
    return [tie for method in METHODS for tie in method.ties([p for p in placed if p.part.form == method.form], name)]


def _wrong_family(architecture: Architecture) -> list[str]:
    if architecture.family.name in _FAMILIES:
        return []
    return [f"deltas of {architecture.family.name} are not exchanged with adapters; of {', '.join(_FAMILIES)} they are"]


def _method_of(config: Any, asked: str) -> AdaptersMethod:
    """The method of a configuration, whose keys are all read or say nothing."""
    kind = config.get("architecture") if isinstance(config, dict) else "?"
    method = next((method for method in METHODS if method.architecture == kind), None)
    if method is None:
        raise ExchangeError(asked, f"its method is {kind}", "a bottleneck adapter, a prefix, LoRA or a union of these")
    lacks = [key for key in method.required if key not in config]
    known = method.reads | method.ignores | _EVERYWHERE
    unknown = [
        f"{key}={value}"
        for key, value in config.items()
        if key not in known and value not in (None, False, "", [], {}) and value not in method.neutral.get(key, ())
    ]
    if lacks or unknown:
        why = "; ".join([f"{key} is missing" for key in lacks] + [f"{words} is not read here" for words in unknown])
        raise ExchangeError(asked, why, "a configuration of adapters that has a counterpart here")
    return method


def _check_about(config: Mapping[str, Any], architecture: Architecture, asked: str) -> None:
    if "peft_type" in config:
        raise ExchangeError(asked, "it is a folder of peft", "--from peft, or source='peft'")
    wrong = _wrong_family(architecture)
    if config.get("model_type") != architecture.family.name:
        wrong.append(f"it is of a {config.get('model_type')}, the backbone is a {architecture.family.name}")
    if config.get("hidden_size") != architecture.width:
        wrong.append(f"it is of width {config.get('hidden_size')}, the backbone of {architecture.width}")
    version = re.fullmatch(r"adapters\.(\d+)\.(\d+)(\..*)?", str(config.get("version")))
    if version is None or not (1, 1) <= (int(version[1]), int(version[2])) <= (1, 3):
        wrong.append(f"it is of version {config.get('version')}; this reads adapters.1.1 to adapters.1.3")
    if wrong:
        raise ExchangeError(asked, "; ".join(wrong), "its own backbone, and the folder saved with adapters 1.3")
