"""Addition with a fixed factor (Hu et al. 2022; He et al. 2022, Eq. 6 and §4.5)."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.rule import Rule, lacks_positive_scale
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import typed_key

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class Scaled(Composition):
    """`h ← h + s Δh`, s a setting: the paper uses 4 on XSum and en-ro, 2 on GLUE."""

    name = "scaled"
    formula = "h ← h + s·Δh"
    reads_scale = True
    rules = (
        Rule(
            name="the scale is a positive number",
            refuses=lacks_positive_scale,
            why="the scale s of h + s·Δh must be finite and positive; with s=0 nothing would be learnt",
            instead=lambda: f"composition=scaled {typed_key('composition.scale')}=4",
        ),
    )

    def words(self, spec: DeltaSpec) -> str:
        """`s=4`."""
        return f"s={spec.scale:g}"

    def factor(self, spec: DeltaSpec) -> float:
        """s."""
        return spec.scale

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.Add` with this factor."""
        from unidelta.deltas.compose import Add
        from unidelta.deltas.layer_norm import out_norm

        return Add(scale=spec.scale, norm=out_norm(spec, place))
