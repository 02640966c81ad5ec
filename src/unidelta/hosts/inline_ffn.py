"""The layers of BART and mBART as hosts: their FFN has no module of its own, so the layer holds the delta at it.

The forwards repeat the stock ones; a test compares a layer without deltas with the stock layer, bit for bit, in
evaluation and in training.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from unidelta.design.axes import Representation, Source
from unidelta.hosts.post_norm import post_norm
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, TOKENS, edit


class InlineFfnLayer(Host):
    """An encoder or a decoder layer with a delta at its FFN; a subclass says where its layer norms are."""

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
        kwargs["attention_mask"] = attention_mask
        x = self._attended(hidden_states, self.self_attn, self.self_attn_layer_norm, **kwargs)
        if encoder_hidden_states is not None:
            kwargs |= {"key_value_states": encoder_hidden_states, "attention_mask": encoder_attention_mask}
            x = self._attended(x, self.encoder_attn, self.encoder_attn_layer_norm, **kwargs)
        y = self._fed_forward(x, positions_BT2)
        if y.dtype == torch.float16 and encoder_hidden_states is None and self._is_clamped(y):
            limit = torch.finfo(y.dtype).max - 1000
            y = torch.clamp(y, min=-limit, max=limit)
        return y

    def _attended(self, x: Tensor, attention: nn.Module, norm: nn.Module, **kwargs: Any) -> Tensor:
        """The representation after an attention, `(B, T, D)`."""
        raise NotImplementedError

    def _fed_forward(self, x: Tensor, positions_BT2: Tensor | None) -> Tensor:
        """The representation after the FFN and its deltas, `(B, T, D)`."""
        raise NotImplementedError

    def _is_clamped(self, y: Tensor) -> bool:
        """Whether an encoder's output in float16 is kept off infinity."""
        raise NotImplementedError

    def _ffn(self, x: Tensor) -> Tensor:
        """The stock FFN with its dropouts."""
        f = dropout(self.activation_fn(self.fc1(x)), p=self.activation_dropout, training=self.training)
        return dropout(self.fc2(f), p=self.dropout, training=self.training)


class BartLayer(InlineFfnLayer):
    """`x ← LN(x + Drop(Sub(x)))`."""

    def _attended(self, x: Tensor, attention: nn.Module, norm: nn.Module, **kwargs: Any) -> Tensor:
        h, _ = attention(x, **kwargs)
        return norm(x + dropout(h, p=self.dropout, training=self.training))

    def _fed_forward(self, x: Tensor, positions_BT2: Tensor | None) -> Tensor:
        return post_norm(self, x, self._ffn(x), self.final_layer_norm, positions_BT2)

    def _is_clamped(self, y: Tensor) -> bool:
        return not torch.isfinite(y).all()


class MBartLayer(InlineFfnLayer):
    """`x ← x + Drop(Sub(LN(x)))`.

    A parallel delta reads the FFN's input LN(x), or the residual stream x as in the released code.
    """

    def _attended(self, x: Tensor, attention: nn.Module, norm: nn.Module, **kwargs: Any) -> Tensor:
        h, _ = attention(norm(x), **kwargs)
        return x + dropout(h, p=self.dropout, training=self.training)

    def _fed_forward(self, x: Tensor, positions_BT2: Tensor | None) -> Tensor:
        normed = self.final_layer_norm(x)
        f = self._ffn(normed)
        if Representation.SUBLAYER in self.deltas:
            read = x if self.settings["source"] is Source.RESIDUAL_STREAM else normed
            f = self.deltas[Representation.SUBLAYER](read, f)
        y = x + f
        if Representation.LAYER in self.deltas:
            y = edit(self, self.deltas[Representation.LAYER], x, y, positions_BT2)
        return y

    def _is_clamped(self, y: Tensor) -> bool:
        return True
