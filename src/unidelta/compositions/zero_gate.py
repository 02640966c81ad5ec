"""The zero-start gate of LLaMA-Adapter (Zhang et al. 2023)."""

from typing import TYPE_CHECKING

from unidelta.design.axes import LayerNorm
from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class ZeroGate(Composition):
    """`h ← h + g Δh`, g one trained scalar per delta, initially 0: every form starts as if it were not there."""

    name = "zero_gate"
    formula = "h ← h + g·Δh, g learned from 0"
    starts_at_zero = True
    rules = (
        Rule(
            name="a zero gate ends a delta",
            refuses=lambda part, _: part.layer_norm is LayerNorm.OUT,
            why="a layer norm after g·Δh would divide the gate out again, and by zero at the start",
            instead="layer_norm=none for this slot, or composition=additive",
        ),
    )

    def n_parameters(self, spec: DeltaSpec, place: Place) -> int:
        """g."""
        return 1

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.LearnedScale`, from 0."""
        from unidelta.deltas.compose import LearnedScale

        return LearnedScale(start=0.0)
