"""Where the authors' released code and the paper's text differ: one switch, one place.

`released` (the default) computes what the authors' code at commit 3222ce2c computes; `paper` follows the
equations and Table 1 literally. docs/fidelity.md is the table of differences with the evidence. Nothing
else in the project looks at the switch: it is resolved here into the explicit fields of a `DeltaSpec`.
"""

from dataclasses import dataclass

from unidelta.design.axes import (
    Conventions,
    Family,
    Form,
    Insertion,
    LayerNorm,
    Representation,
    Slot,
    Source,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The fields of a `DeltaSpec` on which the two sources disagree."""

    representation: Representation
    source: Source
    layer_norm: LayerNorm
    bias: bool
    scaled_query: bool


def details(
    *, slot: Slot, form: Form, insertion: Insertion, at_layer_output: bool, family: Family, conventions: Conventions
) -> Details:
    """What a convention says of a delta.

    Args:
        slot: attention or FFN.
        form: the functional form.
        insertion: sequential or parallel.
        at_layer_output: whether the delta follows the FFN's add & norm (Pfeiffer) and not the sub-layer.
        family: the architecture.
        conventions: which source decides.
    """
    released = conventions is Conventions.RELEASED
    parallel = insertion is Insertion.PARALLEL
    return Details(
        representation=_representation(slot, form, parallel, at_layer_output, family, released),
        # modeling_mbart.py:457 reads the residual stream; the frozen FFN reads its layer norm (Q9)
        source=(
            Source.RESIDUAL_STREAM
            if released and slot is Slot.FFN and parallel and family.is_pre_norm and form is Form.BOTTLENECK
            else Source.SUBLAYER_INPUT
        ),
        layer_norm=_layer_norm(slot, form, family, released),
        bias=released and form is Form.BOTTLENECK,  # Eq. 4 has none; every adapter of the code has
        # multi-head PA: BART's code does not divide by √d_h, mBART's and RoBERTa's do (Q8); the text drops it
        scaled_query=form is not Form.HEAD_ADAPTER or (released and family is not Family.BART),
    )


def _representation(
    slot: Slot, form: Form, parallel: bool, at_layer_output: bool, family: Family, released: bool
) -> Representation:
    if form in (Form.PREFIX, Form.HEAD_ADAPTER):
        return Representation.HEADS
    if form is Form.LOW_RANK:
        return Representation.LINEAR
    if at_layer_output:
        # RoBERTa's code adds A(LN(x + f)) to x + f and normalises again; in pre-LN models both are x + f
        return Representation.RESIDUAL if released and not family.is_pre_norm else Representation.LAYER
    if slot is Slot.ATTN and parallel and released:
        return Representation.CONCAT  # modeling_bart.py:300: before the output projection
    return Representation.SUBLAYER


def _layer_norm(slot: Slot, form: Form, family: Family, released: bool) -> LayerNorm:
    if not released:
        return LayerNorm.NONE
    if slot is Slot.ATTN and form is Form.BOTTLENECK:
        return LayerNorm.IN  # attention adapters of the code ignore the option and always have one
    if form is Form.HEAD_ADAPTER and family is Family.BART:
        return LayerNorm.IN  # mBART and RoBERTa create it and never use it (Q8)
    return LayerNorm.NONE
