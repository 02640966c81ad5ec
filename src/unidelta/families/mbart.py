"""mBART (pre-LN): `x ← x + Drop(Sub(LN(x)))`, with deltas at its sub-layers.

The layers' forwards restate the stock ones with the FFN given to `_ffn`; a test compares a layer without
deltas with the stock layer, bit for bit, in evaluation and in training.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from transformers.models.mbart.modeling_mbart import (
    MBartAttention,
    MBartDecoder,
    MBartDecoderLayer,
    MBartEncoder,
    MBartEncoderLayer,
    MBartLearnedPositionalEmbedding,
)

from unidelta.design.axes import Representation, Source
from unidelta.families.seq2seq import PromptedDecoder, PromptedEncoder, PromptedPositions, Seq2SeqAttention


class DeltaMBartAttention(Seq2SeqAttention, MBartAttention):
    """mBART's attention with deltas."""


class DeltaMBartEncoderLayer(MBartEncoderLayer):
    """mBART's encoder layer with a delta at its FFN."""

    deltas: nn.ModuleDict
    source: Source

    def forward(self, hidden_states: Tensor, attention_mask: Tensor, **kwargs: Any) -> Tensor:
        """As the stock layer."""
        residual = hidden_states
        hidden_states = self.self_attn_layer_norm(hidden_states)
        hidden_states, _ = self.self_attn(hidden_states=hidden_states, attention_mask=attention_mask, **kwargs)
        hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
        hidden_states = _ffn(self, residual + hidden_states)
        if hidden_states.dtype == torch.float16:
            limit = torch.finfo(hidden_states.dtype).max - 1000
            hidden_states = torch.clamp(hidden_states, min=-limit, max=limit)
        return hidden_states


class DeltaMBartDecoderLayer(MBartDecoderLayer):
    """mBART's decoder layer with a delta at its FFN."""

    deltas: nn.ModuleDict
    source: Source

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = True,
        **kwargs: Any,
    ) -> Tensor:
        """As the stock layer."""
        residual = hidden_states
        hidden_states = self.self_attn_layer_norm(hidden_states)
        hidden_states, _ = self.self_attn(
            hidden_states=hidden_states, past_key_values=past_key_values, attention_mask=attention_mask, **kwargs
        )
        hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
        hidden_states = residual + hidden_states
        if encoder_hidden_states is not None:
            residual = hidden_states
            hidden_states = self.encoder_attn_layer_norm(hidden_states)
            hidden_states, _ = self.encoder_attn(
                hidden_states=hidden_states,
                key_value_states=encoder_hidden_states,
                attention_mask=encoder_attention_mask,
                past_key_values=past_key_values,
                **kwargs,
            )
            hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
            hidden_states = residual + hidden_states
        return _ffn(self, hidden_states)


def _ffn(layer: DeltaMBartEncoderLayer | DeltaMBartDecoderLayer, x: Tensor) -> Tensor:
    """`x + f` with f = Drop(FFN(LN(x))), and the delta on f or on the sum, `(B, T, D)`.

    A parallel delta reads the FFN's input LN(x), or the residual stream x as in the released code.
    """
    normed = layer.final_layer_norm(x)
    f = layer.activation_fn(layer.fc1(normed))
    f = dropout(f, p=layer.activation_dropout, training=layer.training)
    f = dropout(layer.fc2(f), p=layer.dropout, training=layer.training)
    if Representation.SUBLAYER in layer.deltas:
        read = x if layer.source is Source.RESIDUAL_STREAM else normed
        f = layer.deltas[Representation.SUBLAYER](read, f)
    y = x + f
    if Representation.LAYER in layer.deltas:
        y = layer.deltas[Representation.LAYER](x, y)
    return y


class PromptedMBartEncoder(PromptedEncoder, MBartEncoder):
    """mBART's encoder with a prompt."""


class PromptedMBartDecoder(PromptedDecoder, MBartDecoder):
    """mBART's decoder behind an encoder with a prompt."""


class PromptedMBartPositions(PromptedPositions, MBartLearnedPositionalEmbedding):
    """mBART's positions with none for the prompt."""


SWAP = {
    MBartAttention: DeltaMBartAttention,
    MBartEncoderLayer: DeltaMBartEncoderLayer,
    MBartDecoderLayer: DeltaMBartDecoderLayer,
    MBartEncoder: PromptedMBartEncoder,
    MBartDecoder: PromptedMBartDecoder,
    MBartLearnedPositionalEmbedding: PromptedMBartPositions,
}
