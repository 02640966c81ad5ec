"""Designs as JSON-ready data, for records and saved deltas."""

import json
from dataclasses import asdict
from typing import Any

from unidelta.design.axes import Rotation, TextStart
from unidelta.design.rules import check_names
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, LinearProbe, PromptTuning
from unidelta.design.tokens import ALL


def design_to_dict(design: Design) -> dict[str, Any]:
    """The design as JSON-ready data, `kind` first; the inverse of `design_from_dict`."""
    data = json.loads(json.dumps(asdict(design)))
    if isinstance(design, PromptTuning) and not design.trains_head:
        del data["trains_head"]  # run ids from before prompts had a head must not change
    for part in data.get("parts", ()):
        part["options"] = dict(part["options"])
        for key, usual in _LATER.items():
            if part[key] == usual:
                del part[key]
    return {"kind": _KINDS[type(design)], **data}


def design_from_dict(data: dict[str, Any]) -> Design:
    """The design that `design_to_dict` wrote.

    Raises:
        ValueError: the kind is missing or unknown.
        TypeError: a field is missing or unknown.
        DesignError: a field has an unknown value, such as a form that is not registered.
    """
    data = dict(data)
    kind = data.pop("kind", None)
    if "parts" in data:
        data["parts"] = tuple(_part(part) for part in data["parts"])
    for design, name in _KINDS.items():
        if name == kind:
            return design(**data)
    raise ValueError(f"`{kind}` is not a kind of design; known kinds are {', '.join(_KINDS.values())}.")


_KINDS: dict[type, str] = {
    Deltas: "deltas",
    FullFineTuning: "full_fine_tuning",
    BitFit: "bitfit",
    PromptTuning: "prompt_tuning",
    LinearProbe: "linear_probe",
    Frozen: "frozen",
}

_LATER = {
    "generator": None,
    "layers": "all",
    "rotation": Rotation.AFTER,
    "text_start": TextStart.ZERO,
    "tokens": ALL,
}
"""Fields that came after the first records, left out where they say what was done before: run ids must not change."""


def _part(data: dict[str, Any]) -> DeltaSpec:
    values: dict[str, Any] = {**data, "targets": tuple(data.get("targets", ()))}
    values["options"] = tuple(dict(data.get("options", {})).items())
    return check_names(DeltaSpec(**values))
