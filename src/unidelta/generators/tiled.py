"""The generator of MiSS (Kang & Yin 2024): W_down sums the features in turn, without a parameter."""

from typing import TYPE_CHECKING

from unidelta.design.form import Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.tiled import TiledMaps


@register_generator
class TiledGenerator(Generator):
    """`W_down = [1_r 1_r …]`, r × r identities side by side; W_up is trained, from 0."""

    name = "tiled"
    makes = "maps"
    formula = "W_down = [1_r 1_r …]"

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """W_up."""
        return spec.bottleneck * place.d_changed

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "TiledMaps":
        """`deltas.tiled.TiledMaps`."""
        from unidelta.deltas.tiled import TiledMaps

        return TiledMaps(spec.bottleneck, (place.d_read, place.d_changed))
