"""Compacter's maps. Shapes: N terms, R rank, D_in features read, D_out features changed."""

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.maps import Maps


class SharedFactors(nn.Module):
    """The A_i `(N, N, N)` of all layers, from N(0, 1)/√N.

    Args:
        terms: N.
        generator: the source of randomness.
    """

    def __init__(self, terms: int, *, generator: Generator) -> None:
        super().__init__()
        start = nn.init.normal_(torch.empty(terms, terms, terms), std=terms**-0.5, generator=generator)
        self.factors = nn.Parameter(start)


class HypercomplexMaps(Maps):
    """`W_down = Σ_i A_i ⊗ (s_i t_iᵀ)` `(R, D_in)`, and W_up `(D_out, R)` likewise (Karimi Mahabadi et al. 2021, §3).

    Glorot-uniform s and t, but for the s of W_up, which are 0, so that Δh = 0 at the start.

    Args:
        shared: the A_i.
        rank: R, a multiple of N.
        widths: D_in and D_out, multiples of N.
        generator: the source of randomness.
    """

    def __init__(self, shared: SharedFactors, rank: int, widths: tuple[int, int], *, generator: Generator) -> None:
        super().__init__()
        self._shared = (shared,)  # in a tuple, so that it is registered only once, elsewhere
        n, (d_in, d_out) = shared.factors.shape[0], widths
        self.down_left, self.down_right = (_drawn(n, size // n, generator) for size in (rank, d_in))
        self.up_left = nn.Parameter(torch.zeros(n, d_out // n))
        self.up_right = _drawn(n, rank // n, generator)

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        factors = self._shared[0].factors
        return _sum(factors, self.down_left, self.down_right), _sum(factors, self.up_left, self.up_right)


def _sum(factors: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """`Σ_i A_i ⊗ (s_i t_iᵀ)` of A `(N, N, N)`, s `(N, p)` and t `(N, q)`, `(N·p, N·q)`."""
    blocks = torch.einsum("nij,np,nq->ipjq", factors, left, right)
    return blocks.flatten(2).flatten(0, 1)


def _drawn(n: int, size: int, generator: Generator) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(n, size), generator=generator))
