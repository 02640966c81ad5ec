"""The composition of HiRA (Huang et al. 2025): the frozen weight, element by element, times a low-rank matrix."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import Materials
from unidelta.design.on_weights import ON_WEIGHTS
from unidelta.design.rule import Rule, lacks_positive_scale
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import typed_key

if TYPE_CHECKING:
    from unidelta.deltas.modulated import Modulated as ModulatedModule


@register_composition
class Modulated(Composition):
    """`W ← W + s W ⊙ M`: of high rank although M is of low rank."""

    name = "modulated"
    formula = "W ← W + s·W ⊙ M"
    reads_scale = True
    on_weights = True
    rules = (
        *ON_WEIGHTS,
        Rule(
            name="the scale of a modulation is a positive number",
            refuses=lacks_positive_scale,
            why="the scale s of W + s·W ⊙ M must be finite and positive; with s=0 nothing would be learnt",
            instead=lambda: f"composition=modulated {typed_key('composition.scale')}=1",
        ),
    )

    def words(self, spec: DeltaSpec) -> str:
        """`modulated, s=1`."""
        return f"modulated, s={spec.scale:g}"

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "ModulatedModule":
        """`deltas.modulated.Modulated`."""
        from unidelta.deltas.modulated import Modulated as Module

        return Module(scale=spec.scale)
