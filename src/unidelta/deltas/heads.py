"""Functional forms on attention heads: vectors P_k, P_v per head, weighted by a function of the query.

Shapes: B batch, H heads of the query, G heads of keys and values (G = H except in grouped-query attention), T query
length, E head width, L prefix length.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.reparam import DirectPrefix, PrefixVectors, ReparametrisedPrefix

KeysValues = tuple[Tensor, Tensor]
"""P_k and P_v, each `(G, L, E)`."""


class HeadModule(FormModule):
    """A form per head that reads the query and has L vectors P_k, P_v per head. A subclass defines their weights.

    Args:
        prefix: where P_k, P_v come from.
        n_heads: H.
        n_kv_heads: G.
        scaling: factor on the logits q P_kᵀ: 1/√E, or 1 for an unscaled query.
        dropout: probability on the L weights per query.
        query_norm: layer norm of the attention's input, from which the form's own query is projected (by the
            frozen W_q), or None to use attention's query.
    """

    def __init__(
        self,
        prefix: PrefixVectors,
        n_heads: int,
        n_kv_heads: int,
        *,
        scaling: float,
        dropout: float,
        query_norm: nn.LayerNorm | None,
    ) -> None:
        super().__init__()
        self.prefix = prefix
        self.n_heads = n_heads
        self.n_kv_heads = n_kv_heads
        self.scaling = scaling
        self.dropout = dropout
        self.query_norm = query_norm

    def weights(self, logits: Tensor) -> Tensor:
        """The L weights for each query, from logits `(B, H, T, L)`."""
        raise NotImplementedError

    def forward(self, q_BHTE: Tensor) -> Tensor:
        """Δh `(B, H, T, E)` from unscaled queries of the same shape."""
        return self.attend(q_BHTE, self.keys_values())

    def attend(self, q_BHTE: Tensor, vectors: KeysValues) -> Tensor:
        """Δh `(B, H, T, E)` from given vectors P_k, P_v."""
        key_HLE, value_HLE = (per_query_head(p_GLE, self.n_heads) for p_GLE in vectors)
        logits_BHTL = torch.matmul(q_BHTE, key_HLE.transpose(-1, -2)) * self.scaling
        weights_BHTL = F.dropout(self.weights(logits_BHTL), self.dropout, self.training)
        return torch.matmul(weights_BHTL, value_HLE)

    def keys_values(self) -> KeysValues:
        """P_k, P_v split over heads."""
        return self.split(*self.prefix())

    def split(self, key_LD: Tensor, value_LD: Tensor) -> KeysValues:
        """Vectors `(L, G·E)` split over heads."""
        key, value = (p_LD.reshape(len(p_LD), self.n_kv_heads, -1).transpose(0, 1) for p_LD in (key_LD, value_LD))
        return key, value

    def fold(self) -> None:
        """Replace the MLP by its output P_k, P_v."""
        if isinstance(self.prefix, ReparametrisedPrefix):
            self.prefix = DirectPrefix(*self.prefix.fold()).requires_grad_(False)

    def stored(self) -> dict[str, Tensor]:
        """What gives P_k, P_v, and the layer norm if there is one."""
        vectors = {f"prefix.{name}": tensor for name, tensor in self.prefix.stored().items()}
        return {**super().stored(), **vectors}


def per_query_head(p_GLE: Tensor, n_heads: int) -> Tensor:
    """`(..., G, L, E)` to `(..., H, L, E)`: the keys or values of a group repeated for each of its query heads."""
    n_groups = p_GLE.shape[-3]
    return p_GLE if n_groups == n_heads else p_GLE.repeat_interleave(n_heads // n_groups, dim=-3)
