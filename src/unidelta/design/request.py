"""A user's request for a design: a method, and the axes that vary it. Plain data, not yet checked.

The fields and their comments are the keys and meanings of `conf/method/`, `conf/position/` and so on: Hydra composes
these dataclasses. `resolve` turns them into a design.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from unidelta.design.axes import Slot


@dataclass
class SlotConfig:
    """A method's settings for one slot. A composition or insertion named here is pinned: the axis groups
    (`composition=…`, `insertion=…`) then do not change the slot."""

    form: str = "bottleneck"  # a functional form: see the table of forms
    bottleneck: int = 0  # the paper's r or l on the published backbone; 0 for a form without one
    scale: float | None = None  # s where the composition is scaled; null: 4
    insertion: str | None = None  # sequential | parallel; null: the axis decides
    composition: str | None = None  # a composition: see the table of compositions; null: the axis decides
    generator: str | None = None  # what makes the form's matrices: see the table of generators; null: they are trained
    init: str | None = None  # how the form starts; null: the form's first, or the generator's
    layers: Any = None  # all | first:4 | last:2 | [0,5], in each stack; null: the axis decides
    tokens: str | None = None  # all | first:4 | last:4 | first:4+last:4, of the source; null: the axis decides
    layer_norm: str | None = None  # none | in | out; null: by convention
    bias: bool | None = None  # of the projections; null: by convention
    dropout: float | None = None  # of the form; null: the host's own at this place, none for LoRA
    targets: list[str] = field(default_factory=list[str])  # query, key, value, output | up, down, gate, inner
    at_layer_output: bool = False  # after the FFN's add & norm (Pfeiffer)
    reparameterisation: str = "mlp"  # mlp | direct; of prefixes and multi-head adapters
    mlp_width: int | None = None  # of the hidden layer of the MLP that makes P_k, P_v; null: 800, in proportion to d
    prefix_dropout: float = 0.0  # on the output of that MLP
    source: str | None = None  # sublayer_input | residual_stream: what a parallel adapter reads; null: by convention
    rotation: str = "after"  # after | before: where P_k joins the keys of attention with rotary positions
    text_start: str = "zero"  # zero | length: the position of the first token beside a prefix, 0 or l
    options: dict[str, Any] = field(default_factory=dict[str, Any])  # what only this form has, by key


@dataclass
class MethodConfig:
    """A method of the paper, or one of your own: what goes into which slot."""

    name: str = "???"
    kind: str = "deltas"  # deltas | full_fine_tuning | bitfit | prompt_tuning | frozen
    attn: SlotConfig | None = None
    attn_also: SlotConfig | None = None  # a second delta at attention, as UniPELT's LoRA beside its prefix
    ffn: SlotConfig | None = None
    ffn_also: SlotConfig | None = None  # a second delta at the FFN
    flexible: list[str] = field(default_factory=list[str])  # the slots whose bottleneck budget=percent solves
    length: int | None = None  # prompt tuning: the paper's number of vectors


SLOTS = {"attn": Slot.ATTN, "attn_also": Slot.ATTN, "ffn": Slot.FFN, "ffn_also": Slot.FFN}
"""The keys of a method that hold a delta, in order, and the slot of each."""


HEADS = ("conventions", "frozen", "trained")
"""What may be asked of a classification head; the conventions choose one of the others."""


def slots_of(method: MethodConfig) -> dict[str, SlotConfig]:
    """The deltas of a method, by key."""
    return {key: chosen for key in SLOTS if (chosen := getattr(method, key)) is not None}


@dataclass
class PositionConfig:
    """Which of a method's slots are used (§4.4)."""

    name: str = "none"
    slots: list[str] = field(default_factory=list[str])


@dataclass
class InsertionConfig:
    """Sequential or parallel (§4.3), for every selected slot that does not pin it."""

    name: str = "none"


@dataclass
class CompositionConfig:
    """How Δh enters h (§4.5), for every selected slot that does not pin it."""

    name: str = "none"
    scale: float | None = None  # s of composition=scaled; null: the method's


@dataclass
class BudgetConfig:
    """How many parameters are trained."""

    name: str = "none"  # paper | percent | bottleneck
    percent: float | None = None  # budget=percent: of the backbone, matrices only
    bottleneck: int | None = None  # budget=bottleneck: of every flexible slot
    attn: int | None = None  # budget=bottleneck: of the attention slot
    ffn: int | None = None  # budget=bottleneck: of the FFN slot


def stated_sizes(budget: BudgetConfig) -> dict[str, Any]:
    """The sizes that a budget states, by key."""
    sizes = {name: getattr(budget, name) for name in ("percent", "bottleneck", "attn", "ffn")}
    return {name: size for name, size in sizes.items() if size is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything that determines a design, except the backbone.

    Args:
        method: what goes into which slot.
        position: which slots.
        insertion: for slots that do not pin it.
        composition: for slots that do not pin it.
        budget: how large.
        layers: which layers of each stack have the deltas, for slots that do not pin it.
        tokens: which tokens of the source are edited, for slots that do not pin it.
        conventions: released or paper.
        head: `conventions`, frozen or trained: the classification head's weights.
    """

    method: MethodConfig
    position: PositionConfig
    insertion: InsertionConfig
    composition: CompositionConfig
    budget: BudgetConfig
    layers: str | Sequence[int] = "all"
    tokens: str = "all"
    conventions: str = "released"
    head: str = "conventions"
