"""Functional forms on attention heads: prefix tuning and the multi-head adapter, with x = the query.

Shapes: B batch, H heads, T query length, E head width, L prefix length, D = H·E.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.reparam import DirectPrefix, Prefixes, ReparametrisedPrefix


class HeadForm(nn.Module):
    """A form per head that reads the query and owns L vectors P_k, P_v per head.

    Args:
        prefix: where P_k, P_v come from.
        n_heads: H.
        scaling: factor on the logits q P_kᵀ: 1/√E, or 1 where the query is used as it is.
        dropout: probability on the L weights per query.
        query_norm: layer norm of the attention's input from which a query of the form's own is projected
            (by the frozen W_q), or None for attention's own query.
    """

    def __init__(
        self,
        prefix: DirectPrefix | ReparametrisedPrefix,
        n_heads: int,
        *,
        scaling: float,
        dropout: float,
        query_norm: nn.LayerNorm | None,
    ) -> None:
        super().__init__()
        self.prefix = prefix
        self.n_heads = n_heads
        self.scaling = scaling
        self.dropout = dropout
        self.query_norm = query_norm

    def keys_values(self, prefixes: Prefixes | None = None) -> tuple[Tensor, Tensor]:
        """P_k, P_v split over heads, each `(H, L, E)`; `prefixes` as in `ReparametrisedPrefix.forward`."""
        key_LD, value_LD = self.prefix(prefixes)
        return tuple(p.unflatten(-1, (self.n_heads, -1)).transpose(0, 1) for p in (key_LD, value_LD))

    def weights(self, logits: Tensor) -> Tensor:
        """The L weights of each query, from logits `(B, H, T, L)`."""
        raise NotImplementedError

    def forward(self, q_BHTE: Tensor, prefixes: Prefixes | None = None) -> Tensor:
        """Δh `(B, H, T, E)` from unscaled queries of that shape; `prefixes` as in `keys_values`."""
        key_HLE, value_HLE = self.keys_values(prefixes)
        logits_BHTL = torch.matmul(q_BHTE, key_HLE.transpose(-1, -2)) * self.scaling
        weights_BHTL = F.dropout(self.weights(logits_BHTL), self.dropout, self.training)
        return torch.matmul(weights_BHTL, value_HLE)


class Prefix(HeadForm):
    """`Δh = softmax(q P_kᵀ) P_v` (Eq. 7): the change that prefix tuning makes to a head's output."""

    def weights(self, logits: Tensor) -> Tensor:
        """A softmax over the prefix alone."""
        return logits.softmax(-1)


class HeadAdapter(HeadForm):
    """`Δh = ReLU(q P_kᵀ) P_v`: an adapter per head with W_down = W_q P_kᵀ and W_up = P_v (§4.1, multi-head PA)."""

    def weights(self, logits: Tensor) -> Tensor:
        """A ReLU in place of prefix tuning's softmax."""
        return F.relu(logits)
