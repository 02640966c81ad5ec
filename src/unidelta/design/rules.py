"""What combines with what, and why: the one table behind every refusal.

It drives the errors, docs/design-space.md and the test that enumerates all combinations: each is built
or refused by exactly these rules, nothing third.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Composition, Form, Init, Insertion, LayerNorm, Representation, Slot
from unidelta.design.count import ATTENTION_TARGETS, FFN_TARGETS
from unidelta.design.spec import Deltas, DeltaSpec, Design, PromptTuning
from unidelta.errors import DesignError

PUBLIC_FORM_NAMES = {
    Form.BOTTLENECK: "a bottleneck adapter",
    Form.LOW_RANK: "a low-rank update (LoRA)",
    Form.PREFIX: "a prefix",
    Form.HEAD_ADAPTER: "a multi-head adapter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One refusal: when it holds of a delta, why that cannot be, and what to type instead."""

    name: str
    refuses: Callable[[DeltaSpec], bool]
    why: str
    instead: str


RULES = (
    Rule(
        name="head-level forms live in attention",
        refuses=lambda part: part.is_head_level and part.slot is Slot.FFN,
        why="it changes the output of attention heads, and an FFN has none (Table 1)",
        instead="position=attn, or for the FFN method=parallel_adapter, method=adapter or method=lora position=ffn",
    ),
    Rule(
        name="head-level forms are parallel",
        refuses=lambda part: part.is_head_level and part.insertion is Insertion.SEQUENTIAL,
        why="it reads the query, an input of attention, so it is parallel by its equation (Eq. 7–10)",
        instead="insertion=parallel, or a sequential method: method=adapter position=attn",
    ),
    Rule(
        name="only a softmax can gate",
        refuses=lambda part: part.composition is Composition.GATED and part.form is not Form.PREFIX,
        why="the gate λ is a ratio of softmax normalisers (Eq. 10), and only a prefix has a softmax",
        instead="composition=additive, composition=scaled or composition=learned_scale; or method=prefix",
    ),
    Rule(
        name="Pfeiffer adapters are sequential",
        refuses=lambda part: (
            part.representation in (Representation.LAYER, Representation.RESIDUAL)
            and part.insertion is Insertion.PARALLEL
        ),
        why="it reads the output of the layer that it changes, so nothing is left for it to be parallel to",
        instead="insertion=sequential, or method=parallel_adapter",
    ),
    Rule(
        name="Pfeiffer adapters follow the FFN",
        refuses=lambda part: (
            part.representation in (Representation.LAYER, Representation.RESIDUAL)
            and (part.slot is not Slot.FFN or part.form is not Form.BOTTLENECK)
        ),
        why="the add & norm that it follows is the FFN's, and what follows it is a bottleneck adapter",
        instead="at_layer_output=false for this slot, or method=adapter_pfeiffer position=ffn",
    ),
    Rule(
        name="layer norm of linear maps",
        refuses=lambda part: part.form is Form.LOW_RANK and part.layer_norm is not LayerNorm.NONE,
        why="LoRA is linear so that it can be merged into the weights; a layer norm would break that",
        instead="layer_norm=none for this slot",
    ),
    Rule(
        name="layer norm of head-level forms",
        refuses=lambda part: part.is_head_level and part.layer_norm is LayerNorm.OUT,
        why="its output is split over heads; the layer norm of the authors' code sits on the query's input",
        instead="layer_norm=in or layer_norm=none for this slot",
    ),
    Rule(
        name="targets belong to LoRA",
        refuses=lambda part: bool(part.targets) != (part.form is Form.LOW_RANK),
        why="targets name the linear maps of a low-rank update, which needs at least one and no other form has any",
        instead="targets=[query,value] at attention or targets=[up,down] at the FFN with method=lora",
    ),
    Rule(
        name="targets belong to their slot",
        refuses=lambda part: (
            not set(part.targets) <= set(ATTENTION_TARGETS if part.slot is Slot.ATTN else FFN_TARGETS)
            or len(set(part.targets)) != len(part.targets)
        ),
        why="attention has the linear maps query, key, value and output, an FFN has up and down, each once",
        instead="targets=[query,value] at attention, targets=[up,down] at the FFN",
    ),
    Rule(
        name="the scale is a positive number",
        refuses=lambda part: not (math.isfinite(part.scale) and part.scale > 0),
        why="the scale s of h + s·Δh must be finite and positive; with s=0 nothing would be learnt",
        instead="composition=scaled composition.scale=4",
    ),
    Rule(
        name="dropout is a probability",
        refuses=lambda part: any(p is not None and not 0 <= p < 1 for p in (part.dropout, part.prefix_dropout)),
        why="a dropout probability lies in [0, 1)",
        instead="dropout=0.1 for this slot, or null for the host model's own",
    ),
    Rule(
        name="a gated prefix shares attention's dropout",
        refuses=lambda part: (
            part.form is Form.PREFIX and part.composition is Composition.GATED and part.dropout is not None
        ),
        why="prefix and sequence are under one softmax, so the host's attention dropout acts on both",
        instead="dropout=null for this slot; prefix_dropout drops elements of P_k, P_v while training",
    ),
    Rule(
        name="the MLP has a width",
        refuses=lambda part: part.has_mlp and part.mlp_width < 1,
        why="the hidden layer of the prefix MLP needs at least one unit (the paper's has 800)",
        instead="mlp_width=800, or reparameterisation=direct for this slot",
    ),
    Rule(
        name="a bottleneck has a width",
        refuses=lambda part: part.bottleneck < 1,
        why="a bottleneck below 1 tunes nothing",
        instead="budget=bottleneck budget.bottleneck=30, or budget=paper",
    ),
    Rule(
        name="an initialisation belongs to its form",
        refuses=lambda part: (
            (part.is_head_level and part.init is Init.LORA)
            or (part.form is not Form.PREFIX and part.init is Init.ACTIVATIONS)
        ),
        why="`lora` initialises the projections of adapters and LoRA, `activations` the vectors of prefixes",
        instead="init=null for this slot",
    ),
)


def capacity(part: DeltaSpec, architecture: Architecture) -> int:
    """The largest bottleneck a slot holds: d for projections, the longest input for a prefix."""
    return architecture.max_positions if part.form is Form.PREFIX else architecture.d_model


def other_slot(design: Deltas | PromptTuning) -> str:
    """The advice to use the other slot as well, for a delta that is alone and could be there too."""
    if not isinstance(design, Deltas) or len(design.parts) != 1:
        return ""
    (part,) = design.parts
    is_bound = part.is_head_level or part.representation in (Representation.LAYER, Representation.RESIDUAL)
    return "" if is_bound else ", or position=both"


def check(design: Design, architecture: Architecture) -> list[DesignError]:
    """Everything that is wrong with a design on a backbone; empty if it can be built."""
    errors: list[DesignError] = []
    if isinstance(design, PromptTuning):
        errors += _check_prompt(design, architecture)
    if isinstance(design, Deltas):
        slots = [part.slot for part in design.parts]
        if not slots or len(set(slots)) != len(slots):
            errors.append(
                DesignError(
                    f"deltas at {', '.join(slots) or 'no position'}",
                    "a design has one delta per slot, and at least one",
                    "position=attn, position=ffn or position=both",
                )
            )
        for part in design.parts:
            errors += check_part(part, architecture, elsewhere=other_slot(design))
    return errors


def check_part(part: DeltaSpec, architecture: Architecture, *, elsewhere: str = "") -> list[DesignError]:
    """Everything that is wrong with one delta on a backbone.

    Args:
        part: the delta.
        architecture: the backbone.
        elsewhere: what `other_slot` advises, for a delta that is too large.
    """
    asked = (
        f"{PUBLIC_FORM_NAMES[part.form]} at {part.slot}, {part.insertion}, {part.composition}, "
        f"bottleneck {part.bottleneck}, on {architecture.name}"
    )
    errors = [DesignError(asked, rule.why, rule.instead) for rule in RULES if rule.refuses(part)]
    limit = capacity(part, architecture)
    if part.bottleneck > limit:
        what = "the longest input" if part.form is Form.PREFIX else "the model's width"
        errors.append(
            DesignError(
                asked,
                f"the bottleneck {part.bottleneck} is larger than {what}, {limit}: more than the slot can hold",
                f"budget=bottleneck with at most {limit}, or a smaller budget.percent{elsewhere}",
            )
        )
    return errors


def _check_prompt(design: PromptTuning, architecture: Architecture) -> list[DesignError]:
    asked = f"prompt tuning with {design.length} vectors on {architecture.name}"
    errors: list[DesignError] = []
    if not architecture.family.is_encoder_decoder:
        errors.append(
            DesignError(
                asked,
                "the classifier reads the first position, where the prompt would stand (the authors' code creates "
                "no parameters here, and the paper has no such row)",
                "method=prefix, or task=xsum or task=wmt_en_ro",
            )
        )
    if not 1 <= design.length <= architecture.max_positions:
        errors.append(
            DesignError(
                asked,
                f"a prompt has between 1 vector and the longest input, {architecture.max_positions}",
                "budget=bottleneck budget.bottleneck=200",
            )
        )
    return errors
