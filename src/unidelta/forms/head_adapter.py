"""The multi-head parallel adapter (He et al. 2022, §4.1 and §4.4)."""

from dataclasses import replace
from typing import TYPE_CHECKING

from unidelta.design.axes import LayerNorm
from unidelta.design.form import Details, Outline, register_form
from unidelta.design.head_form import HeadForm

if TYPE_CHECKING:
    from unidelta.deltas.head_adapter import HeadAdapter as HeadAdapterModule


@register_form
class HeadAdapter(HeadForm):
    """`Δh = ReLU(q P_kᵀ) P_v` per head: an adapter with W_down = W_q P_kᵀ and W_up = P_v."""

    name = "head_adapter"
    title = "a multi-head adapter"
    short = "multi-head adapter"
    formula = "ReLU({z} P_kᵀ) P_v"

    def released(self, outline: Outline) -> Details:
        """BART's code reads W_q LN(x) and does not divide by √d_h; mBART's and RoBERTa's reads q and divides (Q8)."""
        is_normed = outline.family.released.norms_multihead_query
        return replace(
            super().released(outline),
            layer_norm=LayerNorm.IN if is_normed else LayerNorm.NONE,
            scaled_query=not is_normed,
        )

    def paper(self, outline: Outline) -> Details:
        """Attention's own query, not divided by √d_h."""
        return replace(super().released(outline), scaled_query=False)

    @property
    def module(self) -> "type[HeadAdapterModule]":
        """`deltas.head_adapter.HeadAdapter`."""
        from unidelta.deltas.head_adapter import HeadAdapter as Module

        return Module
