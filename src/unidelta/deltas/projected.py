"""LLaMA-Adapter's prefix. Shapes: L prefix length, D model width, K and V widths of keys and values."""

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.frozen_map import FrozenMap
from unidelta.deltas.reparam import PrefixVectors


class ProjectedPrefix(PrefixVectors):
    """`P_k = P W_k` `(L, K)`, `P_v = P W_v` `(L, V)` from P `(L, D)`, N(0, 0.02²) (Zhang et al. 2023, §3).

    Args:
        length: L.
        width: D.
        maps: the frozen maps of keys and values.
        norm: the frozen norm of keys and the width of a head, or None.
        generator: the source of randomness.
    """

    def __init__(
        self,
        length: int,
        width: int,
        maps: tuple[FrozenMap, FrozenMap],
        norm: tuple[nn.Module, int] | None,
        *,
        generator: Generator,
    ) -> None:
        super().__init__()
        self._maps, self._norm = maps, norm  # in tuples, so that they are registered only once, elsewhere
        self.vectors = nn.Parameter(nn.init.normal_(torch.empty(length, width), std=0.02, generator=generator))

    def forward(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v."""
        key, value = (each(self.vectors) for each in self._maps)
        if self._norm is not None:
            norm, head_width = self._norm
            key = norm(key.unflatten(-1, (-1, head_width))).flatten(-2)
        return key, value
