"""The composition of DoRA (Liu et al. 2024): the length of every row of W, and its direction."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.on_weights import ON_WEIGHTS
from unidelta.design.rule import Rule, lacks_positive_scale
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import typed_key

if TYPE_CHECKING:
    from unidelta.deltas.magnitude_direction import MagnitudeDirection as MagnitudeDirectionModule


@register_composition
class MagnitudeDirection(Composition):
    """`W ← m ⊙ (W + s M) / ‖W + s M‖`; ‖·‖ is taken row by row, and m, one trained length per row, starts at ‖W‖."""

    name = "magnitude_direction"
    formula = "W ← m ⊙ (W + s·M)/‖W + s·M‖"
    reads_scale = True
    on_weights = True
    rules = (
        *ON_WEIGHTS,
        Rule(
            name="the scale of a direction is a positive number",
            refuses=lacks_positive_scale,
            why="the scale s of W + s·M must be finite and positive; with s=0 only lengths would be learnt",
            instead=lambda: f"composition=magnitude_direction {typed_key('composition.scale')}=4",
        ),
    )

    def n_parameters(self, spec: DeltaSpec, place: Place) -> int:
        """m."""
        return place.d_changed

    def words(self, spec: DeltaSpec) -> str:
        """`magnitude and direction, s=4`."""
        return f"magnitude and direction, s={spec.scale:g}"

    def factor(self, spec: DeltaSpec) -> float:
        """s."""
        return spec.scale

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "MagnitudeDirectionModule":
        """`deltas.magnitude_direction.MagnitudeDirection`."""
        from unidelta.deltas.magnitude_direction import MagnitudeDirection as Module

        return Module(materials.linears[place.target].weight(), scale=spec.scale)
