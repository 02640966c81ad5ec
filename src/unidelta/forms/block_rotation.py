"""The block-diagonal rotation of OFT (Qiu et al. 2023): what a weight reads, turned by an orthogonal matrix."""

from typing import TYPE_CHECKING

from unidelta.design.architecture import Architecture
from unidelta.design.form import Materials, register_form
from unidelta.design.orthogonal_form import OrthogonalForm
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.block_rotation import BlockRotation as BlockRotationModule


@register_form
class BlockRotation(OrthogonalForm):
    """`M = R − 1`, R block-diagonal with Cayley blocks `(1 + Q)(1 − Q)⁻¹`, `Q = −Qᵀ`, of width b; the last may be less.

    A block of width b has b (b − 1) / 2 parameters: its size is the width of the blocks, not their number.
    """

    name = "block_rotation"
    title = "a block rotation (OFT)"
    short = "block rotation"
    formula = "(R − 1) {z}, R = (1 + Q)(1 − Q)⁻¹ in blocks"
    size = "b"

    def smallest(self, spec: DeltaSpec) -> int:
        """A rotation needs two dimensions."""
        return 2

    def capacity(self, spec: DeltaSpec, architecture: Architecture) -> tuple[int, str]:
        """One block for all that a map reads."""
        widths = [place.d_read for place in self.places(spec, architecture)]
        return min([architecture.width, *widths]), "the fewest features that one of its maps reads"

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """The elements of Q above the diagonal, block by block."""
        n_full, rest = divmod(place.d_read, max(spec.bottleneck, 1))
        return n_full * _above(spec.bottleneck) + _above(rest)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "BlockRotationModule":
        """`deltas.block_rotation.BlockRotation`."""
        from unidelta.deltas.block_rotation import BlockRotation as Module

        return Module(place.d_read, spec.bottleneck)


def _above(width: int) -> int:
    return width * (width - 1) // 2
