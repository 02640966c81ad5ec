"""Addition with a trained factor (He et al. 2022, §4.5: "trainable s")."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class LearnedScale(Composition):
    """`h ← h + s Δh`, s one trained scalar per delta, initially 1."""

    name = "learned_scale"
    formula = "h ← h + s·Δh, s learned"

    def n_parameters(self, spec: DeltaSpec, place: Place) -> int:
        """s."""
        return 1

    def words(self, spec: DeltaSpec) -> str:
        """`learned s`."""
        return "learned s"

    def factor(self, spec: DeltaSpec) -> float:
        """1, where s starts."""
        return 1.0

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.LearnedScale`."""
        from unidelta.deltas.compose import LearnedScale as Module
        from unidelta.deltas.layer_norm import out_norm

        return Module(norm=out_norm(spec, place))
