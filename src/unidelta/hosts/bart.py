"""BART's layers as hosts: `x ← LN(x + Drop(Sub(x)))`, with a delta at the FFN.

The forwards repeat the stock ones up to the FFN, which has no module of its own; a test compares a layer without
deltas with the stock layer, bit for bit, in evaluation and in training.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from unidelta.hosts.post_norm import post_norm
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, TOKENS


class BartLayer(Host):
    """An encoder or a decoder layer of BART with a delta at its FFN."""

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        use_cache: bool | None = True,
        **kwargs: Any,
    ) -> Tensor:
        """Like the stock layer."""
        positions_BT2 = kwargs.pop(SOURCE_POSITIONS) if TOKENS in self.settings else None
        x = hidden_states
        h, _ = self.self_attn(x, attention_mask=attention_mask, **kwargs)
        x = self.self_attn_layer_norm(x + dropout(h, p=self.dropout, training=self.training))
        if encoder_hidden_states is not None:
            h, _ = self.encoder_attn(
                x,
                key_value_states=encoder_hidden_states,
                attention_mask=encoder_attention_mask,
                **kwargs,
            )
            x = self.encoder_attn_layer_norm(x + dropout(h, p=self.dropout, training=self.training))
        f = dropout(self.activation_fn(self.fc1(x)), p=self.activation_dropout, training=self.training)
        f = dropout(self.fc2(f), p=self.dropout, training=self.training)
        x = post_norm(self, x, f, self.final_layer_norm, positions_BT2)
        is_overflow = x.dtype == torch.float16 and encoder_hidden_states is None and not torch.isfinite(x).all()
        return _clamped(x) if is_overflow else x


def _clamped(x: Tensor) -> Tensor:
    limit = torch.finfo(x.dtype).max - 1000
    return torch.clamp(x, min=-limit, max=limit)
