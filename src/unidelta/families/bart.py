"""BART (post-LN): `x ← LN(x + Drop(Sub(x)))`, with deltas at its sub-layers.

The layers' forwards restate the stock ones with the FFN given to `_ffn`; a test compares a layer without
deltas with the stock layer, bit for bit, in evaluation and in training.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from transformers.models.bart.modeling_bart import (
    BartAttention,
    BartDecoder,
    BartDecoderLayer,
    BartEncoder,
    BartEncoderLayer,
    BartLearnedPositionalEmbedding,
)

from unidelta.design.axes import Representation
from unidelta.families.seq2seq import PromptedDecoder, PromptedEncoder, PromptedPositions, Seq2SeqAttention


class DeltaBartAttention(Seq2SeqAttention, BartAttention):
    """BART's attention with deltas."""


class DeltaBartEncoderLayer(BartEncoderLayer):
    """BART's encoder layer with a delta at its FFN."""

    deltas: nn.ModuleDict

    def forward(self, hidden_states: Tensor, attention_mask: Tensor, **kwargs: Any) -> Tensor:
        """As the stock layer."""
        residual = hidden_states
        hidden_states, _ = self.self_attn(hidden_states, attention_mask=attention_mask, **kwargs)
        hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
        hidden_states = self.self_attn_layer_norm(residual + hidden_states)
        hidden_states = _ffn(self, hidden_states)
        if hidden_states.dtype == torch.float16 and not torch.isfinite(hidden_states).all():
            limit = torch.finfo(hidden_states.dtype).max - 1000
            hidden_states = torch.clamp(hidden_states, min=-limit, max=limit)
        return hidden_states


class DeltaBartDecoderLayer(BartDecoderLayer):
    """BART's decoder layer with a delta at its FFN."""

    deltas: nn.ModuleDict

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
        hidden_states, _ = self.self_attn(
            hidden_states, past_key_values=past_key_values, attention_mask=attention_mask, **kwargs
        )
        hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
        hidden_states = self.self_attn_layer_norm(residual + hidden_states)
        if encoder_hidden_states is not None:
            residual = hidden_states
            hidden_states, _ = self.encoder_attn(
                hidden_states,
                key_value_states=encoder_hidden_states,
                attention_mask=encoder_attention_mask,
                past_key_values=past_key_values,
                **kwargs,
            )
            hidden_states = dropout(hidden_states, p=self.dropout, training=self.training)
            hidden_states = self.encoder_attn_layer_norm(residual + hidden_states)
        return _ffn(self, hidden_states)


def _ffn(layer: DeltaBartEncoderLayer | DeltaBartDecoderLayer, x: Tensor) -> Tensor:
    """`LN(x + f)` with f = Drop(FFN(x)), and the delta on f, on x + f or on the result."""
    f = layer.activation_fn(layer.fc1(x))
    f = dropout(f, p=layer.activation_dropout, training=layer.training)
    f = dropout(layer.fc2(f), p=layer.dropout, training=layer.training)
    return post_norm(layer.deltas, x, f, layer.final_layer_norm)


def post_norm(deltas: Mapping[str, nn.Module], x: Tensor, f: Tensor, norm: nn.Module) -> Tensor:
    """`LN(x + f)` of a post-LN sub-layer with its delta.

    Args:
        deltas: the delta by the representation it changes.
        x: input of the sub-layer, `(B, T, D)`.
        f: its output after dropout, `(B, T, D)`.
        norm: the layer norm after the residual sum.
    """
    if Representation.SUBLAYER in deltas:
        f = deltas[Representation.SUBLAYER](x, f)
    y = x + f
    if Representation.RESIDUAL in deltas:  # Pfeiffer as released: reads LN(y), changes y, normalised once more
        delta = deltas[Representation.RESIDUAL]
        y = delta.compose(y, delta.form(norm(y)))
    y = norm(y)
    if Representation.LAYER in deltas:
        y = deltas[Representation.LAYER](x, y)
    return y


class PromptedBartEncoder(PromptedEncoder, BartEncoder):
    """BART's encoder with a prompt."""


class PromptedBartDecoder(PromptedDecoder, BartDecoder):
    """BART's decoder behind an encoder with a prompt."""


class PromptedBartPositions(PromptedPositions, BartLearnedPositionalEmbedding):
    """BART's positions with none for the prompt."""


SWAP = {
    BartAttention: DeltaBartAttention,
    BartEncoderLayer: DeltaBartEncoderLayer,
    BartDecoderLayer: DeltaBartDecoderLayer,
    BartEncoder: PromptedBartEncoder,
    BartDecoder: PromptedBartDecoder,
    BartLearnedPositionalEmbedding: PromptedBartPositions,
}
