"""The gate of UniPELT (Mao et al. 2022): how much of Δh enters, decided by the input."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import FORMS, Materials
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class InputGate(Composition):
    """`h ← h + σ(w·z + b) Δh`, a number in (0, 1) for each token; at heads z is attention's input."""

    name = "input_gate"
    formula = "h ← h + σ(w·z + b)·Δh"

    def n_parameters(self, spec: DeltaSpec, place: Place) -> int:
        """w and b."""
        return _width(spec, place) + 1

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.input_gate.InputGate`."""
        from unidelta.deltas.input_gate import InputGate as Module
        from unidelta.deltas.layer_norm import out_norm

        is_per_head = FORMS[spec.form].level == "heads"
        return Module(_width(spec, place), is_per_head=is_per_head, norm=out_norm(spec, place))


def _width(spec: DeltaSpec, place: Place) -> int:
    return place.site.width if FORMS[spec.form].level == "heads" else place.d_read
