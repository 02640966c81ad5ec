"""VeRA's generator (Kopiczko et al. 2024): frozen random maps, the same everywhere, and two trained diagonals."""

from typing import TYPE_CHECKING

from unidelta.design.form import Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator as Randomness

    from unidelta.deltas.frozen import FrozenMaps, SharedMaps
    from unidelta.design.site import SiteShape


@register_generator
class FrozenGenerator(Generator):
    """`W_down = diag(d) A`, `W_up = diag(b) B`: A and B are drawn from `projection_seed`, and nothing stores them."""

    name = "frozen"
    makes = "maps"
    formula = "W_down = diag(d) A, W_up = diag(b) B, A and B frozen"
    options = {"projection_seed": 0, "d_start": 0.1}  # noqa: RUF012

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """d and b."""
        return spec.bottleneck + place.d_changed

    def capacity(self, spec: DeltaSpec, places: "Sequence[Place]") -> tuple[int, str] | None:
        """A rank above the width costs only r elements of d, so up to four times the widest input is allowed."""
        widths = [place.d_read for place in places]
        return (4 * max(widths), "four times the most features that one of its maps reads") if widths else None

    def shared(self, spec: DeltaSpec, sites: "Sequence[SiteShape]", randomness: "Randomness") -> "SharedMaps":
        """A and B as large as the largest place needs; smaller ones take a part."""
        from unidelta.deltas.frozen import SharedMaps
        from unidelta.design.site import places

        every = [place for site in sites for place in places(spec, site)]
        seed = int(dict(spec.options)["projection_seed"])
        widths = max(place.d_read for place in every), max(place.d_changed for place in every)
        return SharedMaps(spec.bottleneck, widths, seed=seed)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FrozenMaps":
        """`deltas.frozen.FrozenMaps`."""
        from unidelta.deltas.frozen import FrozenMaps, SharedMaps

        assert isinstance(materials.shared, SharedMaps)  # made above
        start = float(dict(spec.options)["d_start"])
        return FrozenMaps(materials.shared, spec.bottleneck, (place.d_read, place.d_changed), d_start=start)
