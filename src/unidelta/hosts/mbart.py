"""mBART's layers as hosts: `x ← x + Drop(Sub(LN(x)))`, with a delta at the FFN.

The forwards repeat the stock ones up to the FFN, which has no module of its own; a test compares a layer without
deltas with the stock layer, bit for bit, in evaluation and in training.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import dropout

from unidelta.design.axes import Representation, Source
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, TOKENS, edit


class MBartLayer(Host):
    """An encoder or a decoder layer of mBART with a delta at its FFN.

    A parallel delta reads the FFN's input LN(x), or the residual stream x as in the released code.
    """

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
        h, _ = self.self_attn(self.self_attn_layer_norm(x), attention_mask=attention_mask, **kwargs)
        x = x + dropout(h, p=self.dropout, training=self.training)
        if encoder_hidden_states is not None:
            h, _ = self.encoder_attn(
                self.encoder_attn_layer_norm(x),
                key_value_states=encoder_hidden_states,
                attention_mask=encoder_attention_mask,
                **kwargs,
            )
            x = x + dropout(h, p=self.dropout, training=self.training)
        normed = self.final_layer_norm(x)
        f = dropout(self.activation_fn(self.fc1(normed)), p=self.activation_dropout, training=self.training)
        f = dropout(self.fc2(f), p=self.dropout, training=self.training)
        if Representation.SUBLAYER in self.deltas:
            read = x if self.settings["source"] is Source.RESIDUAL_STREAM else normed
            f = self.deltas[Representation.SUBLAYER](read, f)
        y = x + f
        if Representation.LAYER in self.deltas:
            y = edit(self, self.deltas[Representation.LAYER], x, y, positions_BT2)
        if y.dtype == torch.float16 and encoder_hidden_states is None:
            limit = torch.finfo(y.dtype).max - 1000
            y = torch.clamp(y, min=-limit, max=limit)
        return y
