"""The composition of OFT and HRA: the frozen weight times an orthogonal matrix."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.on_weights import ON_WEIGHTS
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.rotated import Rotated as RotatedModule


@register_composition
class Rotated(Composition):
    """`W ← W R = W (1 + M)`: lengths of and angles between the rows of W are kept."""

    name = "rotated"
    formula = "W ← W R"
    on_weights = True
    turns_input = True
    rules = ON_WEIGHTS

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "RotatedModule":
        """`deltas.rotated.Rotated`."""
        from unidelta.deltas.rotated import Rotated as Module

        return Module()
