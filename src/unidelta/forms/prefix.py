"""The prefix of prefix tuning (Li & Liang 2021; He et al. 2022, Eq. 5 and 7–10)."""

from typing import TYPE_CHECKING

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import register_form
from unidelta.design.head_form import HeadForm
from unidelta.design.rule import Rule
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.prefix import Prefix as PrefixModule


@register_form
class Prefix(HeadForm):
    """`Δh = softmax(q P_kᵀ) P_v` per head, q the query."""

    name = "prefix"
    title = "a prefix"
    short = "prefix"
    formula = "softmax({z} P_kᵀ) P_v"
    inits = (Init.BERT, Init.ACTIVATIONS)
    has_softmax = True
    rules = (
        *HeadForm.rules,
        Rule(
            name="a gated prefix shares attention's dropout",
            refuses=lambda part, _: COMPOSITIONS[part.composition].is_gate and part.dropout is not None,
            why="prefix and sequence are under one softmax, so the host's attention dropout acts on both",
            instead="dropout=null for this slot; prefix_dropout drops elements of P_k, P_v while training",
        ),
    )

    def capacity(self, spec: DeltaSpec, architecture: Architecture) -> tuple[int, str]:
        """At most as many vectors as the longest input has tokens."""
        return architecture.max_positions, "the longest input"

    @property
    def module(self) -> "type[PrefixModule]":
        """`deltas.prefix.Prefix`."""
        from unidelta.deltas.prefix import Prefix as Module

        return Module
