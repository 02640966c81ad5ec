"""LoReFT's intervention. Shapes: D features, N rows of R."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.init import empty_linear, init_linear
from unidelta.deltas.linear_algebra import orthonormal_rows
from unidelta.design.axes import Init


class TiedOrthogonal(FormModule):
    """`Δh = Rᵀ (A h + b − R h)` (Wu et al. 2024, Eq. 2), R with orthonormal rows.

    R is the orthonormal factor of a free matrix (QR with a positive diagonal), so it stays orthonormal in training.

    Args:
        width: D.
        rank: N.
        init: `orthogonal` (A and b as torch's linear maps) or `tied` (A = R, b = 0).
        norm: layer norm of what is read, or None.
        generator: the source of randomness of the initialisation.
    """

    def __init__(self, width: int, rank: int, *, init: Init, norm: nn.LayerNorm | None, generator: Generator) -> None:
        super().__init__()
        self.norm = norm
        start = nn.init.orthogonal_(torch.empty(rank, width), generator=generator)
        self.basis = nn.Parameter(start)
        """A free matrix with the rows of R as its orthonormal basis, `(N, D)`."""
        self.source = empty_linear(width, rank, bias=True)
        if init is Init.TIED:
            self.source.weight.data.copy_(self.rows())
        else:
            init_linear(self.source, generator)

    def rows(self) -> Tensor:
        """R, `(N, D)`."""
        return orthonormal_rows(self.basis)

    def forward(self, h: Tensor) -> Tensor:
        """Δh, `(..., D)`."""
        if self.norm is not None:
            h = self.norm(h)
        rows = self.rows()
        return (self.source(h) - F.linear(h, rows)) @ rows
