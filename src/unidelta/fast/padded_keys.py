"""Pad the number of keys to a multiple of 16 when a prefix is prepended, with masked zeros after the sequence.

Identity: a key that the mask excludes has weight exp(−∞) = 0. Attention's dropout, which draws for these keys as well,
drops other elements than without them.
Gain: torch's fused attention on a CPU takes up to twice as long for other numbers of keys: 20 ms for 158 instead of 11
for 160 (16 × 8 heads × 128 queries; docs/performance.md).

Shapes: B batch, G heads of keys and values, S keys, E head width, L prefix length.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from unidelta.deltas.heads import KeysValues
from unidelta.hosts.attention import attended_in_front, in_front

_MULTIPLE = 16


def in_front_padded(
    vectors: KeysValues, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """`[P_k; K; 0]`, `[P_v; V; 0]` and their mask; without a mask the zeros could not be excluded."""
    length = vectors[0].shape[1]
    n_behind = -(length + key.shape[2]) % _MULTIPLE
    if mask is None or not n_behind:
        return in_front(vectors, key, value, mask)
    p_key, p_value = (p_GLE.to(key.dtype).expand(key.shape[0], -1, -1, -1) for p_GLE in vectors)
    nothing = key.new_zeros(1, 1, n_behind, 1).expand(key.shape[0], key.shape[1], -1, key.shape[3])
    no = False if mask.dtype == torch.bool else torch.finfo(mask.dtype).min
    longer = F.pad(attended_in_front(mask, length), (0, n_behind), value=no)
    return torch.cat([p_key, key, nothing], 2), torch.cat([p_value, value, nothing], 2), longer
