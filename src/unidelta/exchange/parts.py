"""The delta that another library's file describes, in the fields of ours."""

import math
from typing import Any

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, Slot
from unidelta.design.form import FORMS, Outline
from unidelta.design.spec import DeltaSpec


def part_of(
    architecture: Architecture, *, slot: Slot, form: str, insertion: Insertion = Insertion.PARALLEL, **fields: Any
) -> DeltaSpec:
    """A delta as the released code would have it, with changes.

    Args:
        architecture: the backbone.
        slot: attention or FFN.
        form: name of the functional form.
        insertion: sequential or parallel.
        **fields: of `DeltaSpec`, the bottleneck among them.
    """
    known = FORMS[form]
    # not `source`: what a delta of another library reads is the sub-layer's input
    details = known.released(Outline(slot=slot, insertion=insertion, at_layer_output=False, family=architecture.family))
    stated: dict[str, Any] = {
        "composition": "additive",
        "representation": details.representation,
        "init": known.inits[0],
        "layer_norm": details.layer_norm,
        "bias": details.bias,
        "dropout": 0.0,
        "scaled_query": details.scaled_query,
    }
    return DeltaSpec(slot=slot, form=form, insertion=insertion, **{**stated, **fields})


def gated_prefix(architecture: Architecture, length: int, **fields: Any) -> DeltaSpec:
    """A prefix under one softmax with the text, as other libraries have it: P_k and P_v themselves, no MLP."""
    stated = {"composition": "gated", "init": Init.BERT, "dropout": None, **fields}
    return part_of(architecture, slot=Slot.ATTN, form="prefix", bottleneck=length, **stated)


def scaled(scale: float) -> dict[str, Any]:
    """The composition with a fixed s."""
    return {"composition": "additive"} if scale == 1 else {"composition": "scaled", "scale": float(scale)}


def fixed_scale(part: DeltaSpec) -> float | None:
    """s of h + s·Δh, or None for a composition that is something else."""
    return {"additive": 1.0, "scaled": part.scale}.get(part.composition)


def alpha_of(scale: float, rank: int) -> int | float | None:
    """LoRA's alpha, for which alpha / r is s to the last bit, a whole number if there is one; None if there is none.

    Args:
        scale: s.
        rank: r.
    """
    near = scale * rank
    tried = (round(near), near, math.nextafter(near, math.inf), math.nextafter(near, 0.0))
    return next((alpha for alpha in tried if alpha > 0 and alpha / rank == scale), None)
