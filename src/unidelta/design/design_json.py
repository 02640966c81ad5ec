"""Designs as JSON-ready data, for records and saved deltas."""

from dataclasses import asdict
from typing import Any, cast

from unidelta.design.axes import (
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Representation,
    Rotation,
    Slot,
    Source,
    TextStart,
)
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, LinearProbe, PromptTuning
from unidelta.design.tokens import ALL


def design_to_dict(design: Design) -> dict[str, Any]:
    """The design as JSON-ready data, `kind` first; the inverse of `design_from_dict`."""
    data = _plain(asdict(design))
    if isinstance(design, PromptTuning) and not design.trains_head:
        del data["trains_head"]  # as before there were prompts with one
    for part in data.get("parts", ()):
        part["options"] = dict(part["options"])
        for key, usual in _LATER.items():
            if part[key] == usual:
                del part[key]
    return {"kind": _KINDS[type(design)], **data}


def design_from_dict(data: dict[str, Any]) -> Design:
    """The design that `design_to_dict` wrote.

    Raises:
        ValueError: if the kind is missing, or the kind or a value is unknown.
        TypeError: if a field is missing or unknown.
    """
    data = dict(data)
    kind = data.pop("kind", None)
    if "parts" in data:
        data["parts"] = tuple(_part(part) for part in data["parts"])
    for design, name in _KINDS.items():
        if name == kind:
            return design(**data)
    raise ValueError(f"`{kind}` is no kind of design; known kinds are {', '.join(_KINDS.values())}.")


_KINDS: dict[type, str] = {
    Deltas: "deltas",
    FullFineTuning: "full_fine_tuning",
    BitFit: "bitfit",
    PromptTuning: "prompt_tuning",
    LinearProbe: "linear_probe",
    Frozen: "frozen",
}

_LATER = {
    **{"generator": None, "layers": "all", "rotation": Rotation.AFTER, "text_start": TextStart.ZERO},
    "tokens": ALL,
}
"""Fields that came after the first records, left out where they say what was done before: a design keeps its name."""

_ENUMS = {
    "slot": Slot,
    "insertion": Insertion,
    "representation": Representation,
    "source": Source,
    "init": Init,
    "layer_norm": LayerNorm,
    "reparameterisation": Reparameterisation,
    "rotation": Rotation,
    "text_start": TextStart,
}


def _part(data: dict[str, Any]) -> DeltaSpec:
    values: dict[str, Any] = {key: _ENUMS[key](value) if key in _ENUMS else value for key, value in data.items()}
    for key, known in (("form", FORMS), ("composition", COMPOSITIONS), ("generator", GENERATORS)):
        if data.get(key) is not None and data[key] not in known:
            raise ValueError(f"`{data[key]}` is no {known.noun} here; known are {', '.join(known)}.")
    values["targets"] = tuple(data.get("targets", ()))
    values["options"] = tuple(dict(data.get("options", {})).items())
    return DeltaSpec(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(list[Any], value)]
    return str(value) if isinstance(value, str) else value
