"""Plain addition (Houlsby et al. 2019; He et al. 2022, Table 1)."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class Additive(Composition):
    """`h ← h + Δh`."""

    name = "additive"
    formula = "h ← h + Δh"

    def words(self, spec: DeltaSpec) -> str:
        """Empty: addition is the default."""
        return ""

    def factor(self, spec: DeltaSpec) -> float:
        """1."""
        return 1.0

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.Add`."""
        from unidelta.deltas.compose import Add
        from unidelta.deltas.layer_norm import out_norm

        return Add(norm=out_norm(spec, place))
