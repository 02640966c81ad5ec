"""The generator of LoKr (Edalati et al. 2022; Yeh et al. 2024): a small matrix ⊗ a low-rank one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unidelta.design.form import Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.kronecker import KroneckerMaps


@register_generator
class KroneckerGenerator(Generator):
    """`W_down = 1 ⊗ A`, `W_up = C ⊗ B`: W_up W_down = C ⊗ (B A), C about √d wide."""

    name = "kronecker"
    makes = "maps"
    formula = "W_down W_up = C ⊗ (A B)"

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """C, A and B."""
        (c_in, a_in), (c_out, b_out) = _factors(place)
        return c_in * c_out + spec.bottleneck * (a_in + b_out)

    def n_activations(self, spec: DeltaSpec, place: Place) -> int:
        """r for each column of C."""
        return _factors(place)[0][0] * spec.bottleneck

    def capacity(self, spec: DeltaSpec, places: Sequence[Place]) -> tuple[int, str] | None:
        """B A has at most its full rank."""
        if not places:
            return None
        ranks = [min(a_in, b_out) for (_, a_in), (_, b_out) in map(_factors, places)]
        return min(ranks), "the rank of the second factor of its smallest map"

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "KroneckerMaps":
        """`deltas.kronecker.KroneckerMaps`."""
        from unidelta.deltas.kronecker import KroneckerMaps

        return KroneckerMaps(spec.bottleneck, _factors(place), generator=materials.generator)


def _factors(place: Place) -> tuple[tuple[int, int], tuple[int, int]]:
    """(C's, A's) width read, and (C's, B's) width changed."""
    return factors(place.d_read), factors(place.d_changed)


def factors(width: int) -> tuple[int, int]:
    """The two factors of a width that are nearest to each other, the smaller first; 0 and 0 where there is no width."""
    small = next((n for n in range(int(width**0.5), 0, -1) if width % n == 0), 0)
    return small, width // max(small, 1)
