"""What a run tuned, as two files: `deltas.safetensors`, and `design.json` that says what it is and belongs to."""

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.axes import Init, Reparameterisation
from unidelta.design.spec import Deltas, Design, Frozen, FullFineTuning, design_from_dict, design_to_dict
from unidelta.errors import CheckpointError, DamagedCheckpoint
from unidelta.families.architectures import architecture_of, family_of
from unidelta.families.inject import Injection, inject
from unidelta.records.atomic import write_atomically
from unidelta.records.strict_json import canonical, parse

_TENSORS, _DESIGN, _VERSION = "deltas.safetensors", "design.json", 1
_AGAIN = "the folder as the run wrote it, or the run again with force=true"


def is_small(design: Design) -> bool:
    """Whether what a design tunes is less than the backbone itself."""
    return not isinstance(design, FullFineTuning | Frozen)


def save(injection: Injection, folder: Path, *, run_id: str) -> None:
    """Write what is kept for inference: tuned parameters, prefixes without their MLP, and a classification head.

    A head belongs to it even where it was not trained, because no pretrained checkpoint has it.

    Args:
        injection: a trained model, before or after `fold`.
        folder: is made; a crash leaves its earlier files or makes `load` refuse it.
        run_id: for people.

    Raises:
        RecordError: the disk does not take it.
    """
    tensors = {**injection.stored_state(), **_head(injection.model)}
    content = to_bytes({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())})
    description = {
        "version": _VERSION,
        "run_id": run_id,
        "design": design_to_dict(injection.design),
        "architecture": _sizes(injection.model),
        "backbone": _fingerprint(injection.model, without={*tensors, *injection.trained}),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_atomically(folder / _TENSORS, content)
    write_atomically(folder / _DESIGN, canonical(description) + "\n")


def load(folder: Path, backbone: PreTrainedModel) -> PreTrainedModel:
    """Put the deltas in `folder` into `backbone`; see `unidelta.load`."""
    asked = f"load {folder}"
    description, tensors = _read(folder, asked)
    _check_backbone(backbone, description, tensors, asked)
    design = _for_inference(design_from_dict(description["design"]))
    injection = inject(backbone, design, generator=torch.Generator())
    wanted = {**injection.stored_state(), **_head(backbone)}
    if {name: _kind(wanted[name]) for name in wanted} != {name: _kind(tensors[name]) for name in tensors}:
        raise DamagedCheckpoint(asked, f"{_TENSORS} and {_DESIGN} are not of one design", _AGAIN)
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise DamagedCheckpoint(asked, f"{', '.join(broken[:5])} in {_TENSORS} have values that are not finite", _AGAIN)
    backbone.load_state_dict(tensors, strict=False)
    return backbone.eval().requires_grad_(False)


def _read(folder: Path, asked: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        text, content = (folder / _DESIGN).read_text(encoding="utf-8"), (folder / _TENSORS).read_bytes()
    except OSError as error:
        raise CheckpointError(asked, f"{error.strerror}: {error.filename}", "a folder that a run left") from None
    try:
        description = parse(text)
        if description["sha256"] != hashlib.sha256(content).hexdigest():
            raise DamagedCheckpoint(asked, f"the SHA-256 of {_TENSORS} is not the one in {_DESIGN}", _AGAIN)
        if description["version"] != _VERSION:
            why = f"its layout is version {description['version']}; this unidelta reads {_VERSION}"
            raise CheckpointError(asked, why, "the unidelta that wrote it")
        return description, from_bytes(content)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpoint(asked, f"{_DESIGN} cannot be read: {error}", _AGAIN) from None


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype]:
    return tensor.shape, tensor.dtype


def _check_backbone(
    backbone: PreTrainedModel, description: dict[str, Any], tensors: dict[str, Tensor], asked: str
) -> None:
    sizes, theirs = _sizes(backbone), description["architecture"]
    wrong = [f"{name} is {sizes[name]}, it was {theirs[name]}" for name in sizes if sizes[name] != theirs[name]]
    if wrong:
        raise CheckpointError(asked, f"the backbone has other sizes: {'; '.join(wrong)}", "the run's backbone")
    if _fingerprint(backbone, without=set(tensors)) != description["backbone"]:
        why = "the backbone has the right sizes and other weights"
        raise CheckpointError(asked, why, "the checkpoint the run began with, in float32 and without deltas")


def _for_inference(design: Design) -> Design:
    """The same function with the vectors of prefixes as they are, instead of what makes them."""
    if not isinstance(design, Deltas):
        return design
    direct = {"reparameterisation": Reparameterisation.DIRECT, "init": Init.BERT}
    return replace(
        design, parts=tuple(replace(part, **direct) if part.is_head_level else part for part in design.parts)
    )


def _head(model: PreTrainedModel) -> dict[str, Tensor]:
    head = family_of(model.config).head(model)
    if head is None:
        return {}
    mine = {id(parameter) for parameter in head.parameters()}
    return {name: parameter.detach() for name, parameter in model.named_parameters() if id(parameter) in mine}


def _sizes(model: PreTrainedModel) -> dict[str, Any]:
    facts = asdict(architecture_of(model.config, name=""))
    return {
        **{name: facts[name] for name in facts if name not in ("name", "published_denominator")},
        "family": str(facts["family"]),
    }


def _fingerprint(model: PreTrainedModel, *, without: set[str]) -> str:
    """SHA-256 over names, shapes and values of all other parameters."""
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        if name not in without:
            digest.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}\n".encode())
            digest.update(parameter.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
