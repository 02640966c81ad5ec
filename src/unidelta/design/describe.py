"""Designs in words, and the paper's Table 1 written from the specs themselves."""

from unidelta.design.axes import Composition, Form, Insertion, LayerNorm, Representation, Slot
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, FullFineTuning, PromptTuning

_FORMULAS = {
    Form.PREFIX: "softmax({z} P_kᵀ) P_v",
    Form.HEAD_ADAPTER: "ReLU({z} P_kᵀ) P_v",
    Form.BOTTLENECK: "ReLU({z} W_down) W_up",
    Form.LOW_RANK: "{z} W_down W_up",
}
_COMPOSITIONS = {
    Composition.ADDITIVE: "h ← h + Δh",
    Composition.SCALED: "h ← h + s·Δh",
    Composition.LEARNED_SCALE: "h ← h + s·Δh, s learned",
    Composition.GATED: "h ← (1−λ)·h + λ·Δh",
}
_NAMES = {
    Form.PREFIX: "prefix",
    Form.HEAD_ADAPTER: "multi-head adapter",
    Form.BOTTLENECK: "adapter",
    Form.LOW_RANK: "low rank",
}


def describe(design: Design) -> str:
    """A design in one line, e.g. `prefix(attn, l=30, gated) + parallel adapter(ffn, r=512, s=4)`."""
    match design:
        case Deltas(parts=parts, trains_head=trains_head):
            return " + ".join(_part(part) for part in parts) + (" + trained head" if trains_head else "")
        case PromptTuning(length=length):
            return f"prompt(encoder input, l={length})"
        case BitFit(trains_head=trains_head):
            return "biases" + (" + trained head" if trains_head else "")
        case FullFineTuning():
            return "all parameters"
        case _:
            return "nothing"


def functional_form(part: DeltaSpec) -> str:
    """Δh as in the first column of Table 1; z is q, x or h: what the form reads."""
    reads = "q" if part.is_head_level else ("x" if part.insertion is Insertion.PARALLEL else "h")
    return _FORMULAS[part.form].format(z=reads)


def modified_representation(part: DeltaSpec) -> str:
    """The third column of Table 1."""
    sublayer = "attention" if part.slot is Slot.ATTN else "FFN"
    return {
        Representation.HEADS: "head attention output",
        Representation.CONCAT: "concatenated heads, before W_o",
        Representation.SUBLAYER: f"{sublayer} output",
        Representation.RESIDUAL: "FFN add & norm",
        Representation.LAYER: "FFN add & norm",
        Representation.LINEAR: f"{sublayer} {', '.join(part.targets)}",
    }[part.representation]


def composition_formula(part: DeltaSpec) -> str:
    """The last column of Table 1."""
    return _COMPOSITIONS[part.composition]


def table1(designs: dict[str, Design]) -> str:
    """The paper's Table 1 as Markdown, one row per part of each named design."""
    rows = [
        "| method | functional form Δh | insertion | modified representation | composition |",
        "|---|---|---|---|---|",
    ]
    for name, design in designs.items():
        if isinstance(design, Deltas):
            rows += [
                f"| {name} | {functional_form(part)} | {part.insertion} | {modified_representation(part)} "
                f"| {composition_formula(part)} |"
                for part in design.parts
            ]
    return "\n".join(rows) + "\n"


def _part(part: DeltaSpec) -> str:
    name = _NAMES[part.form]
    if not part.is_head_level:
        name = f"{part.insertion} {name}"
    if part.representation in (Representation.LAYER, Representation.RESIDUAL):
        name = f"{name} after add & norm"
    size = "l" if part.is_head_level else "r"
    words = [str(part.slot), f"{size}={part.bottleneck}"]
    if part.targets:
        words.append("+".join(part.targets))
    if part.composition is Composition.SCALED:
        words.append(f"s={part.scale:g}")
    elif part.composition is not Composition.ADDITIVE:
        words.append("learned s" if part.composition is Composition.LEARNED_SCALE else "gated")
    if part.layer_norm is not LayerNorm.NONE:
        words.append(f"layer norm {part.layer_norm}")
    if part.has_mlp:
        words.append(f"MLP {part.mlp_width}")
    return f"{name}({', '.join(words)})"
