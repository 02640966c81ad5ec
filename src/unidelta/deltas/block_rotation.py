"""OFT's rotation. Shapes: D features, N full blocks of B features, one of the E = D − N·B left."""

import torch
from torch import Tensor, nn

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.linear_algebra import block_diagonal, times_inverse


class BlockRotation(FormModule):
    """`M = R − 1`, R block-diagonal with `R_i = (1 + Q_i)(1 − Q_i)⁻¹`, Q_i skew-symmetric (Qiu et al. 2023, §3).

    Q = 0 at the start, so that R = 1.

    Args:
        width: D.
        block: B.
    """

    is_linear = True

    def __init__(self, width: int, block: int) -> None:
        super().__init__()
        n_full, rest = divmod(width, block)
        self.block, self.rest = block, rest
        self.skew = nn.Parameter(torch.zeros(n_full, block * (block - 1) // 2))
        """The elements of every Q_i above the diagonal, row by row."""
        self.skew_rest = nn.Parameter(torch.zeros(1, rest * (rest - 1) // 2)) if rest > 1 else None

    def matrix(self) -> Tensor:
        """M, `(D, D)`."""
        blocks = list(_turned(self.skew, self.block))
        if self.skew_rest is not None:
            blocks += list(_turned(self.skew_rest, self.rest))
        elif self.rest:
            blocks.append(self.skew.new_zeros(1, 1))
        return block_diagonal(blocks)

    def forward(self, z: Tensor) -> Tensor:
        """M z, `(..., D)`."""
        return z @ self.matrix().T


def _turned(skew: Tensor, width: int) -> Tensor:
    """`(1 + Q)(1 − Q)⁻¹ − 1 = 2 Q (1 − Q)⁻¹` of each row of elements, `(n, width, width)`."""
    rows, columns = torch.triu_indices(width, width, 1, device=skew.device)
    upper = skew.new_zeros(len(skew), width, width).index_put((torch.arange(len(skew))[:, None], rows, columns), skew)
    q = upper - upper.mT
    return 2 * times_inverse(q, torch.eye(width).to(q) - q)
