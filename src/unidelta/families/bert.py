"""BERT and RoBERTa (post-LN encoders of one shape): `x ← LN(x + Drop(Sub(x)))`, with deltas."""

from typing import Any

from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertOutput, BertSelfAttention, BertSelfOutput
from transformers.models.roberta.modeling_roberta import RobertaOutput, RobertaSelfAttention, RobertaSelfOutput

from unidelta.design.axes import Representation
from unidelta.families.attention import DeltaAttention
from unidelta.families.bart import post_norm


class EncoderAttention(DeltaAttention):
    """To be mixed in before the self-attention: hands the input x on to the attention function."""

    def project_query(self, x_BTD: Tensor) -> Tensor:
        """W_q x + b_q."""
        return self.query(x_BTD)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, past_key_values: Any = None, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None]:
        """As the stock forward."""
        return super().forward(hidden_states, attention_mask, past_key_values, attention_input=hidden_states, **kwargs)


class AttentionOutput(nn.Module):
    """To be mixed in before the attention's output module: a delta on u = W_o C + b_o, before the dropout."""

    deltas: nn.ModuleDict

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        """`LN(x + Drop(u))` from the concatenated heads C and the attention's input x."""
        u = self.deltas[Representation.SUBLAYER](input_tensor, self.dense(hidden_states))
        return self.LayerNorm(self.dropout(u) + input_tensor)


class FfnOutput(nn.Module):
    """To be mixed in before the FFN's output module: a delta on f = Drop(W_2 · + b_2), or after the sum."""

    deltas: nn.ModuleDict

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        """`LN(x + f)` from the FFN's inner activations and its input x."""
        f = self.dropout(self.dense(hidden_states))
        return post_norm(self.deltas, input_tensor, f, self.LayerNorm)


class DeltaBertSelfAttention(EncoderAttention, BertSelfAttention):
    """BERT's self-attention with deltas."""


class DeltaBertSelfOutput(AttentionOutput, BertSelfOutput):
    """BERT's attention output with a delta."""


class DeltaBertOutput(FfnOutput, BertOutput):
    """BERT's FFN output with a delta."""


class DeltaRobertaSelfAttention(EncoderAttention, RobertaSelfAttention):
    """RoBERTa's self-attention with deltas."""


class DeltaRobertaSelfOutput(AttentionOutput, RobertaSelfOutput):
    """RoBERTa's attention output with a delta."""


class DeltaRobertaOutput(FfnOutput, RobertaOutput):
    """RoBERTa's FFN output with a delta."""


SWAP = {
    BertSelfAttention: DeltaBertSelfAttention,
    BertSelfOutput: DeltaBertSelfOutput,
    BertOutput: DeltaBertOutput,
    RobertaSelfAttention: DeltaRobertaSelfAttention,
    RobertaSelfOutput: DeltaRobertaSelfOutput,
    RobertaOutput: DeltaRobertaOutput,
}
