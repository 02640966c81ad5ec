"""The generator of Compacter (Karimi Mahabadi et al. 2021): Kronecker sums with factors that all layers share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unidelta.design.form import FORMS, Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.rule import Rule
from unidelta.design.site import Place, SiteShape
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from torch import Generator as Randomness

    from unidelta.deltas.hypercomplex import HypercomplexMaps, SharedFactors


def _terms(spec: DeltaSpec) -> int:
    return int(dict(spec.options)["terms"])


@register_generator
class HypercomplexGenerator(Generator):
    """`W = Σ_i A_i ⊗ (s_i t_iᵀ)` for W_down and W_up, i = 1 … n; all layers share the A_i `(n, n)`."""

    name = "hypercomplex"
    makes = "maps"
    formula = "W_down, W_up = Σᵢ Aᵢ ⊗ sᵢtᵢᵀ, Aᵢ shared"
    options = {"terms": 4}  # noqa: RUF012
    rules = (
        Rule(
            name="the terms of a Kronecker sum divide the widths",
            refuses=lambda part, architecture: (
                _terms(part) < 1
                or any(
                    width % _terms(part)
                    for place in FORMS[part.form].places(part, architecture)
                    for width in (place.d_read, place.d_changed)
                )
            ),
            why="each A_i is n × n, so n divides what is read and what is changed",
            instead="options.terms=4 for this slot, or another divisor of the widths",
        ),
    )

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """The s_i and t_i of both maps: Σ over n of (r + d)/n."""
        return 2 * spec.bottleneck + place.d_read + place.d_changed

    def n_shared(self, spec: DeltaSpec, sites: Sequence[SiteShape]) -> int:
        """The A_i."""
        return _terms(spec) ** 3

    def step(self, spec: DeltaSpec) -> int:
        """n divides r."""
        return max(1, _terms(spec))

    def shared(self, spec: DeltaSpec, sites: Sequence[SiteShape], randomness: "Randomness") -> "SharedFactors":
        """The A_i."""
        from unidelta.deltas.hypercomplex import SharedFactors

        return SharedFactors(_terms(spec), generator=randomness)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "HypercomplexMaps":
        """`deltas.hypercomplex.HypercomplexMaps`."""
        from unidelta.deltas.hypercomplex import HypercomplexMaps, SharedFactors

        assert isinstance(materials.shared, SharedFactors)  # made above
        widths = place.d_read, place.d_changed
        return HypercomplexMaps(materials.shared, spec.bottleneck, widths, generator=materials.generator)
