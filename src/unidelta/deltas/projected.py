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
        generator: the source of randomness.
    """

    def __init__(self, length: int, width: int, maps: tuple[FrozenMap, FrozenMap], *, generator: Generator) -> None:
        super().__init__()
        self._maps = maps
        self.vectors = nn.Parameter(nn.init.normal_(torch.empty(length, width), std=0.02, generator=generator))

    def forward(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v."""
        key, value = self._maps
        return key(self.vectors), value(self.vectors)
