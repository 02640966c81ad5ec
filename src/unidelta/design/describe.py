"""Designs in words, and the paper's Table 1 generated from the specs."""

from collections.abc import Mapping

from unidelta.design.axes import (
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Representation,
    Rotation,
    Slot,
    TextStart,
)
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import generator_of
from unidelta.design.site import INNER
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, FullFineTuning, LinearProbe, PromptTuning
from unidelta.design.tokens import ALL


def describe(design: Design) -> str:
    """A design in one line, e.g. `prefix(attn, l=30, gated) + parallel adapter(ffn, r=512, s=4)`."""
    match design:
        case Deltas(parts=parts, trains_head=trains_head):
            return " + ".join(_part(part) for part in parts) + (" + trained head" if trains_head else "")
        case PromptTuning(length=length, trains_head=trains_head):
            return f"prompt(input, l={length})" + (" + trained head" if trains_head else "")
        case BitFit(trains_head=trains_head):
            return "biases" + (" + trained head" if trains_head else "")
        case FullFineTuning():
            return "all parameters"
        case LinearProbe():
            return "classification head"
        case _:
            return "nothing"


def functional_form(part: DeltaSpec) -> str:
    """Δh as in the first column of Table 1; z is q, x or h: what the form reads."""
    form, generator = FORMS[part.form], generator_of(part)
    reads = "q" if form.level == "heads" else ("x" if part.insertion is Insertion.PARALLEL else "h")
    details = generator.formula if generator else "minus its start" if part.init is Init.PISSA else ""
    shift = " + b" if form.is_linear and part.bias else ""
    return ", ".join(filter(None, (form.formula.format(z=reads) + shift, details)))


def modified_representation(part: DeltaSpec) -> str:
    """The third column of Table 1."""
    sublayer = "attention" if part.slot is Slot.ATTN else "FFN"
    targets = ["inner activation" if target == INNER else target for target in part.targets]
    return {
        Representation.HEADS: "head attention output",
        Representation.CONCAT: "concatenated heads, before W_o",
        Representation.SUBLAYER: f"{sublayer} output",
        Representation.RESIDUAL: "FFN add & norm",
        Representation.LAYER: "FFN add & norm",
        Representation.LINEAR: f"{sublayer} {', '.join(targets)}",
        Representation.INPUT: f"input of {sublayer} {', '.join(targets)}",
    }[part.representation]


def starts_at_zero(part: DeltaSpec) -> bool:
    """Whether it leaves the model unchanged at the start; HRA's reflections up to rounding."""
    form, composition = generator_of(part) or FORMS[part.form], COMPOSITIONS[part.composition]
    return composition.keeps_h and (composition.starts_at_zero or part.init in form.zero_starts)


def merges(part: DeltaSpec) -> bool:
    """Whether it is a change of weights, so that merging is exact; one with a bias needs a map with a bias."""
    form, composition = FORMS[part.form], COMPOSITIONS[part.composition]
    is_added = composition.factor(part) is not None and part.layer_norm is LayerNorm.NONE
    return form.level == "linear" and (composition.on_weights or (form.is_linear and is_added))


def cells(part: DeltaSpec) -> tuple[str, str, str, str]:
    """The columns of Table 1 after the method's name."""
    formula = COMPOSITIONS[part.composition].formula
    return functional_form(part), str(part.insertion), modified_representation(part), formula


def table1(designs: Mapping[str, Design]) -> str:
    """The paper's Table 1 as Markdown, one row per part of each named design."""
    rows = [
        "| method | functional form Δh | insertion | modified representation | composition |",
        "|---|---|---|---|---|",
    ]
    for name, design in designs.items():
        if isinstance(design, Deltas):
            rows += [f"| {' | '.join((name, *cells(part)))} |" for part in design.parts]
    return "\n".join(rows) + "\n"


def _part(part: DeltaSpec) -> str:
    form = FORMS[part.form]
    name = form.short if form.level == "heads" else f"{part.insertion} {form.short}"
    if part.representation in (Representation.LAYER, Representation.RESIDUAL):
        name = f"{name} after add & norm"
    words = [
        part.generator or "",
        str(part.slot),
        f"{form.size}={part.bottleneck}" if form.size else "",
        "+".join(part.targets),
        COMPOSITIONS[part.composition].words(part),
        f"layer norm {part.layer_norm}" if part.layer_norm is not LayerNorm.NONE else "",
        f"MLP {part.mlp_width}" if part.reparameterisation is Reparameterisation.MLP else "",
        f"init {part.init}" if part.init is Init.PISSA else "",
        f"layers {part.layers}" if part.layers != "all" else "",
        f"tokens {part.tokens}" if part.tokens != ALL else "",
        "P_k rotated" if part.rotation is Rotation.BEFORE else "",
        "text from l" if part.text_start is TextStart.LENGTH else "",
        *(f"{key}={value}" for key, value in part.options),
    ]
    return f"{name}({', '.join(filter(None, words))})"
