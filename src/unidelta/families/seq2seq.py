"""What BART and mBART share: their attention, and the prompt in front of their encoder."""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.prompt import Prompt
from unidelta.design.axes import Representation
from unidelta.families.attention import DeltaAttention
from unidelta.families.prefix_cache import cached_prefix


class Seq2SeqAttention(DeltaAttention):
    """To be mixed in before BART's or mBART's attention: hands the input x on, and changes the output."""

    def project_query(self, x_BTD: Tensor) -> Tensor:
        """W_q x + b_q."""
        return self.q_proj(x_BTD)

    def forward(
        self,
        hidden_states: Tensor,
        key_value_states: Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """The stock forward, then the delta on the sub-layer's output (after W_o, before dropout)."""
        output, weights = super().forward(
            hidden_states,
            key_value_states,
            past_key_values,
            attention_mask,
            attention_input=hidden_states,
            cached_prefix=cached_prefix(self, past_key_values, is_cross=key_value_states is not None),
            **kwargs,
        )
        if Representation.SUBLAYER in self.deltas:
            output = self.deltas[Representation.SUBLAYER](hidden_states, output)
        return output, weights


class PromptedEncoder(nn.Module):
    """To be mixed in before an encoder: vectors in front of the scaled token embeddings, attended by all."""

    prompt: Prompt

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """The stock forward on l more positions."""
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        return super().forward(
            attention_mask=self.prompt.prepend_mask(attention_mask),
            inputs_embeds=self.prompt.prepend(inputs_embeds),
            **kwargs,
        )


class PromptedPositions(nn.Module):
    """To be mixed in before the encoder's positions: none for the prompt, 0 … n−1 for the tokens as ever."""

    prompt_length: int

    def forward(self, input_ids: Tensor, **kwargs: Any) -> Tensor:
        """Position embeddings `(B, l + n, D)`, zero for the first l."""
        return F.pad(super().forward(input_ids[:, self.prompt_length :], **kwargs), (0, 0, self.prompt_length, 0))


class PromptedDecoder(nn.Module):
    """To be mixed in before a decoder: its cross-attention sees the l encoder states of the prompt."""

    prompt_length: int

    def forward(self, *args: Any, encoder_attention_mask: Tensor | None = None, **kwargs: Any) -> Any:
        """The stock forward with l ones in front of the encoder's mask."""
        if encoder_attention_mask is not None:
            encoder_attention_mask = F.pad(encoder_attention_mask, (self.prompt_length, 0), value=1)
        return super().forward(*args, encoder_attention_mask=encoder_attention_mask, **kwargs)
