"""The decompositions that deltas need, with types: torch.linalg has none.

They are computed in float32 where the matrix has half the precision, for which torch has no such kernels.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor


def largest_triples(matrix: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The n largest singular triples of a matrix `(d, e)`: U `(d, n)`, S `(n,)`, Vᵀ `(n, e)`."""
    u, s, vt = torch.linalg.svd(_wide(matrix), full_matrices=False)
    dtype = matrix.dtype
    return cast(Tensor, u)[:, :n].to(dtype), cast(Tensor, s)[:n].to(dtype), cast(Tensor, vt)[:n].to(dtype)


def orthonormal_rows(matrix: Tensor) -> Tensor:
    """An orthonormal basis of the rows of `(n, d)` by QR, with the signs that leave an orthonormal matrix as it is."""
    q, triangle = torch.linalg.qr(_wide(matrix).T)
    return (cast(Tensor, q) * cast(Tensor, triangle).diagonal().sign()).T.to(matrix.dtype)


def times_inverse(left: Tensor, right: Tensor) -> Tensor:
    """`left right⁻¹` of `(…, n, n)`."""
    return cast(Tensor, torch.linalg.solve(_wide(right), _wide(left), left=False)).to(left.dtype)


def triangle_inverse_times(triangle: Tensor, right: Tensor) -> Tensor:
    """`triangle⁻¹ right` of an upper triangle `(n, n)` and `(n, d)`."""
    return cast(Tensor, torch.linalg.solve_triangular(_wide(triangle), _wide(right), upper=True)).to(right.dtype)


def _wide(matrix: Tensor) -> Tensor:
    return matrix.to(torch.promote_types(matrix.dtype, torch.float32))


def block_diagonal(blocks: Sequence[Tensor]) -> Tensor:
    """Square blocks along the diagonal, zeros elsewhere."""
    return cast(Tensor, torch.block_diag(*blocks))


def row_lengths(matrix: Tensor) -> Tensor:
    """The Euclidean length of every row of `(n, d)`, `(n,)`."""
    return cast(Tensor, torch.linalg.vector_norm(matrix, dim=1))
