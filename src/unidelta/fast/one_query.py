"""Attention of a single query on a CPU, computed explicitly.

Identity: the formula softmax(q Kᵀ/√E) V; a single query sees every key that the mask allows.
Gain: torch's fused attention is slower for one query, as for every generated token but the first: 64 × 8 heads and
46 keys take 1.0 ms instead of 1.6 (docs/performance.md).

Shapes: B batch, H heads of the query, G heads of keys and values, S keys, E head width.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from unidelta.hosts.attention import masked


def one_query(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """torch's fused attention, except for one query on a CPU: `(B, H, T, E)` to `(B, T, H, E)`; keys `(B, G, S, E)`."""
    if query.shape[2] > 1 or query.device.type != "cpu" or kwargs.get("dropout", 0.0) > 0:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    # The H / G queries that share keys are the rows of one product: nothing is repeated.
    B, H, _, E = query.shape
    grouped = query.reshape(B, key.shape[1], -1, E)
    scores_BH1S = torch.matmul(grouped, key.transpose(-1, -2)).reshape(B, H, 1, -1) * scaling
    least = torch.finfo(scores_BH1S.dtype).min
    scores_BH1S = masked(scores_BH1S, attention_mask, kwargs.get("position_bias"), least=least)
    weights_BH1S = scores_BH1S.softmax(-1, dtype=torch.promote_types(query.dtype, torch.float32)).to(query.dtype)
    output = torch.matmul(weights_BH1S.reshape(B, value.shape[1], H // value.shape[1], -1), value)
    return output.reshape(B, H, 1, -1).transpose(1, 2), None
