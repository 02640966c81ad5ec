"""The generator of LoHa (Hyeon-Woo et al. 2022; Yeh et al. 2024): the product, element by element, of two updates."""

from typing import TYPE_CHECKING

from unidelta.design.form import Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.hadamard import HadamardMaps


@register_generator
class HadamardGenerator(Generator):
    """`W_down = A₁ * A₂`, `W_up = B₁ * B₂`, r² products of rows and of columns: W_up W_down = (B₁ A₁) ⊙ (B₂ A₂)."""

    name = "hadamard"
    makes = "maps"
    formula = "W_down W_up = (A₁ B₁) ⊙ (A₂ B₂)"

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """A₁, A₂, B₁ and B₂."""
        return 2 * spec.bottleneck * (place.d_read + place.d_changed)

    def n_activations(self, spec: DeltaSpec, place: Place) -> int:
        """r²."""
        return spec.bottleneck**2

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "HadamardMaps":
        """`deltas.hadamard.HadamardMaps`."""
        from unidelta.deltas.hadamard import HadamardMaps

        return HadamardMaps(spec.bottleneck, (place.d_read, place.d_changed), generator=materials.generator)
