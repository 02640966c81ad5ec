"""Saved deltas: `deltas.safetensors`; `design.json`, which describes the design and its backbone; and a model card."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.config_facts import known_family
from unidelta.design.describe import describe
from unidelta.design.design_json import design_from_dict, design_to_dict
from unidelta.design.form import FORMS
from unidelta.design.spec import Deltas, Design, Frozen, FullFineTuning
from unidelta.errors import DamagedDeltas, DesignError, SavedDeltasError
from unidelta.injection.architecture import architecture_of_model, is_of_backbone
from unidelta.injection.beside import beside, head_name
from unidelta.injection.card import CARD, TrainedBy, card
from unidelta.injection.check_model import check_values
from unidelta.injection.inject import inject
from unidelta.injection.injection import AsLoaded, Injection
from unidelta.injection.no_deltas import DESIGN, no_deltas
from unidelta.records.atomic import write_atomically
from unidelta.records.strict_json import canonical, parse

_TENSORS, _VERSION = "deltas.safetensors", 4
_AND = " and "  # between the dtypes in design.json
_WITHOUT_LABELS = {
    "encoder-decoder": "AutoModelForSeq2SeqLM",
    "encoder": "AutoModel",
    "decoder": "AutoModelForCausalLM",
}
_AGAIN = "the folder as the run wrote it, or the run again with force=true"


def saves_apart(design: Design) -> bool:
    """Whether what a design trains is saved without the backbone: all but full fine-tuning and the frozen model."""
    return not isinstance(design, FullFineTuning | Frozen)


def save(
    injection: Injection,
    folder: Path,
    *,
    run_id: str | None = None,
    new: Sequence[str] = (),
    trained_by: TrainedBy | None = None,
) -> None:
    """Save what inference needs: trained parameters, prefixes without their MLP, and a classification head.

    The head is saved even if it was not trained, and so is everything that the checkpoint lacks, and what was set to
    require gradients after `inject`.

    Args:
        injection: a trained model, before or after `fold`.
        folder: created if needed; after a crash it has its earlier files, or `load` refuses it.
        run_id: of the run that trained them, for information; None if there was no run.
        new: names of the backbone's parameters that its checkpoint lacks.
        trained_by: the same run, for the card.

    Raises:
        SavedDeltasError: the design trains the backbone itself, or nothing, or the model is on the meta device.
        RecordError: it cannot be written to the disk.
    """
    if not saves_apart(injection.design):
        asked, why = f"save the deltas of {describe(injection.design)}", "there are none beside the backbone"
        raise SavedDeltasError(asked, why, "model.save_pretrained(DIR) writes the whole model")
    check_values(injection.model, f"save the deltas of {describe(injection.design)}")
    new = [*new, *unfrozen(injection)]
    tensors = {**injection.stored_state(), **beside(injection.model, new)}
    content = to_bytes({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())})
    backbone = injection.as_loaded or _as_loaded(injection, new)
    description = {
        "version": _VERSION,
        "run_id": run_id,
        "labels": _labels(injection.model),
        "new": sorted(new),
        "dtype": backbone.dtype,
        "design": design_to_dict(injection.design),
        "architecture": _sizes(injection.model),
        "backbone": backbone.fingerprint,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_atomically(folder / _TENSORS, content)
    write_atomically(folder / DESIGN, canonical(description) + "\n")
    write_atomically(folder / CARD, card(injection, trained_by))


def unfrozen(injection: Injection) -> list[str]:
    """The backbone's parameters that the user made trainable after `inject`."""
    of_design = {*injection.trained}
    return [
        name
        for name, parameter in injection.model.named_parameters()
        if parameter.requires_grad and name not in of_design and is_of_backbone(name)
    ]


def note_as_loaded(injection: Injection, *, new: Sequence[str]) -> None:
    """Note what the backbone is, before its weights are stored otherwise: `load` wants it as it was.

    Args:
        injection: a model that has not been trained.
        new: as for `save`.
    """
    if saves_apart(injection.design):
        injection.as_loaded = _as_loaded(injection, new)


def _as_loaded(injection: Injection, new: Sequence[str]) -> AsLoaded:
    saved = beside(injection.model, new)
    return AsLoaded(dtype=_dtype(injection.model), fingerprint=fingerprint_below(injection, saved))


def load(folder: Path, backbone: PreTrainedModel) -> Injection:
    """Load the deltas in `folder` into `backbone`, ready for inference; see `unidelta.load`."""
    asked = f"load {folder}"
    description, tensors = _read(folder, asked)
    _check_backbone(backbone, description, tensors, asked)
    try:
        design = _for_inference(design_from_dict(description["design"]))
    except DesignError as error:  # a form, composition or generator of the user's own
        instead = 'unidelta.register("DIR"), the folder that defines it, before unidelta.load'
        raise SavedDeltasError(asked, f"{error.asked}: {error.why}", instead) from None
    injection = inject(backbone, design, generator=torch.Generator())
    injection.keep(beside(backbone, description["new"]))
    try:
        _fill(injection, tensors, description["new"], asked)
    except SavedDeltasError:
        injection.remove()
        raise
    if description["labels"] is not None:
        name_labels(backbone, description["labels"])
    backbone.eval().requires_grad_(False)
    return injection


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a folder of saved deltas says of itself.

    Args:
        family: the architecture that they are for.
        labels: names of the classes; None without a classification head.
        new: names of the parameters that the backbone's checkpoint lacks.
    """

    family: str
    labels: tuple[str, ...] | None
    new: tuple[str, ...]


def what_is_saved(folder: Path) -> Saved:
    """What a folder says, before there is a backbone; raises as `load`."""
    description, _ = _read(folder, f"load {folder}")
    labels = description["labels"]
    return Saved(
        family=description["architecture"]["model_type"],
        labels=None if labels is None else tuple(labels),
        new=tuple(description["new"]),
    )


def name_labels(model: PreTrainedModel, names: Sequence[str]) -> None:
    """Store the names of a model's classes where transformers looks for them: `config.id2label`."""
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: i for i, name in enumerate(names)}


def _fill(injection: Injection, tensors: dict[str, Tensor], new: Sequence[str], asked: str) -> None:
    wanted = {**injection.stored_state(), **beside(injection.model, new)}
    if {name: _kind(wanted[name]) for name in wanted} != {name: _kind(tensors[name]) for name in tensors}:
        raise DamagedDeltas(asked, f"{_TENSORS} and {DESIGN} are not of one design", _AGAIN)
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise DamagedDeltas(asked, f"{', '.join(broken[:5])} in {_TENSORS} have values that are not finite", _AGAIN)
    injection.model.load_state_dict(tensors, strict=False)


def _read(folder: Path, asked: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        text, content = (folder / DESIGN).read_text(encoding="utf-8"), (folder / _TENSORS).read_bytes()
    except OSError as error:
        raise no_deltas(folder, asked, error) from None
    try:
        description = parse(text)
        if description["sha256"] != hashlib.sha256(content).hexdigest():
            raise DamagedDeltas(asked, f"the SHA-256 of {_TENSORS} is not the one in {DESIGN}", _AGAIN)
        if description["version"] != _VERSION:
            why = f"its layout is version {description['version']}; this unidelta reads {_VERSION}"
            raise SavedDeltasError(asked, why, "the unidelta that wrote it")
        return description, from_bytes(content)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedDeltas(asked, f"{DESIGN} cannot be read: {error}", _AGAIN) from None


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype]:
    return tensor.shape, tensor.dtype


def _check_backbone(
    backbone: PreTrainedModel, description: dict[str, Any], tensors: dict[str, Tensor], asked: str
) -> None:
    sizes, theirs = _sizes(backbone), description["architecture"]
    differing = [name for name in sizes if sizes[name] != theirs.get(name)]
    if differing:
        # the sizes of two architectures have other names, so of them only the architecture is said
        named = ["model_type"] if "model_type" in differing else differing
        wrong = "; ".join(f"{name} is {sizes[name]}, it was {theirs.get(name)}" for name in named)
        instead = "the backbone that they were trained in"
        if sizes["n_labels"] != theirs.get("n_labels"):
            how = _loaded_by(theirs["model_type"], theirs.get("n_labels"))
            instead = how if differing == ["n_labels"] else f"{instead}: {how}"
        raise SavedDeltasError(asked, f"the backbone has other sizes: {wrong}", instead)
    check_values(backbone, asked)
    here, there = _dtype(backbone), description["dtype"]
    most, *others = there.split(_AND)
    if {*here.split(_AND)} != {most, *others}:
        why = f"the backbone is in {here}, what was tuned is in {there}"
        rest = f", which most of it was in, the rest in {_AND.join(others)}" if others else ""
        instead = f"from_pretrained(…, dtype=torch.{most}){rest}; the model may be converted once the deltas are in it"
        raise SavedDeltasError(asked, why, instead)
    if fingerprint(backbone, without=set(tensors)) != description["backbone"]:
        why = "the backbone has the right sizes and other weights"
        raise SavedDeltasError(asked, why, f"the checkpoint they were trained on, in {most}, without deltas")


def _loaded_by(model_type: str, n_labels: int | None) -> str:
    """What loads a backbone with a head of so many labels."""
    if n_labels:
        return f"AutoModelForSequenceClassification.from_pretrained(…, num_labels={n_labels})"
    kind = known_family(model_type).kind
    return f"{_WITHOUT_LABELS[kind]}.from_pretrained(…), without a classification head"


def _for_inference(design: Design) -> Design:
    """The same function without the parts used only in training."""
    if not isinstance(design, Deltas):
        return design
    return replace(design, parts=tuple(FORMS[part.form].for_inference(part) for part in design.parts))


def _dtype(model: PreTrainedModel) -> str:
    """What a model's parameters are stored in, e.g. `float32`; of several, that of most weights comes first.

    transformers keeps parts of some models in float32 whatever it is asked for, T5 in float16 for example.
    """
    n_weights = Counter[str]()
    for parameter in model.parameters():
        n_weights[str(parameter.dtype).removeprefix("torch.")] += parameter.numel()
    # A packed integer stands for several weights and can be no `dtype=`.
    return _AND.join(sorted(n_weights, key=lambda name: ("float" not in name, -n_weights[name], name)))


def _labels(model: PreTrainedModel) -> list[str] | None:
    """The names of the classes in order, None for a model without a classification head."""
    if head_name(model) is None:
        return None
    return [model.config.id2label[i] for i in range(model.config.num_labels)]


def _sizes(model: PreTrainedModel) -> dict[str, Any]:
    facts = architecture_of_model(model)
    return {**facts.config, "n_labels": facts.n_labels}


def fingerprint_below(injection: Injection, saved: Iterable[str]) -> str:
    """The fingerprint of the weights that deltas are for.

    Args:
        injection: the deltas.
        saved: names of the backbone's own parameters that are saved beside them.
    """
    return fingerprint(injection.model, without={*injection.stored_state(), *injection.trained, *saved})


def fingerprint(model: PreTrainedModel, *, without: set[str]) -> str:
    """The SHA-256 of all other parameters, quantised weights excepted.

    bitsandbytes lays 8-bit weights out anew when they are first used.
    """
    return sha256_of({n: p for n, p in model.named_parameters() if n not in without and p.is_floating_point()})


def sha256_of(tensors: Mapping[str, Tensor], *, after: str = "") -> str:
    """SHA-256 over names, shapes and values, after a text."""
    digest = hashlib.sha256(after.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
