"""The decompositions that deltas need, with types: torch.linalg has none."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor


def largest_triples(matrix: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
    """The n largest singular triples of a matrix `(d, e)`: U `(d, n)`, S `(n,)`, Vᵀ `(n, e)`."""
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    return cast(Tensor, u)[:, :n], cast(Tensor, s)[:n], cast(Tensor, vt)[:n]


def orthonormal_rows(matrix: Tensor) -> Tensor:
    """An orthonormal basis of the rows of `(n, d)` by QR, with the signs that leave an orthonormal matrix as it is."""
    q, triangle = torch.linalg.qr(matrix.T)
    return (cast(Tensor, q) * cast(Tensor, triangle).diagonal().sign()).T


def times_inverse(left: Tensor, right: Tensor) -> Tensor:
    """`left right⁻¹` of `(…, n, n)`."""
    return cast(Tensor, torch.linalg.solve(right, left, left=False))


def triangle_inverse_times(triangle: Tensor, right: Tensor) -> Tensor:
    """`triangle⁻¹ right` of an upper triangle `(n, n)` and `(n, d)`."""
    return cast(Tensor, torch.linalg.solve_triangular(triangle, right, upper=True))


def block_diagonal(blocks: Sequence[Tensor]) -> Tensor:
    """Square blocks along the diagonal, zeros elsewhere."""
    return cast(Tensor, torch.block_diag(*blocks))


def row_lengths(matrix: Tensor) -> Tensor:
    """The Euclidean length of every row of `(n, d)`, `(n,)`."""
    return cast(Tensor, torch.linalg.vector_norm(matrix, dim=1))
