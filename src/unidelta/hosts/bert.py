"""BERT's and RoBERTa's modules as hosts: `x ← LN(x + Drop(Sub(x)))`, with deltas."""

from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.design.axes import Representation
from unidelta.hosts.attention import AttentionHost
from unidelta.hosts.output import OutputHost
from unidelta.hosts.post_norm import post_norm
from unidelta.hosts.site import Host, Hosting, Site


class AttentionOutput(Host):
    """The attention's output module: a delta on u = W_o C + b_o, before the dropout."""

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        """`LN(x + Drop(u))` from the concatenated heads C and the attention's input x."""
        u = self.deltas[Representation.SUBLAYER](input_tensor, self.dense(hidden_states))
        return self.LayerNorm(self.dropout(u) + input_tensor)


class FfnOutput(Host):
    """The FFN's output module: a delta on f = Drop(W_2 · + b_2), or on the sum x + f."""

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        """`LN(x + f)` from the FFN's inner activations and its input x."""
        f = self.dropout(self.dense(hidden_states))
        return post_norm(self, input_tensor, f, self.LayerNorm)


def encoder_sites(model: PreTrainedModel) -> list[Site]:
    """Self-attentions, then FFNs, of a model with BERT's layers."""
    stack = model.base_model.encoder
    return [
        *(_attention(layer, i, stack) for i, layer in enumerate(stack.layer)),
        *(_ffn(layer, i, stack, model.base_model) for i, layer in enumerate(stack.layer)),
    ]


def _attention(layer: nn.Module, i: int, stack: nn.Module) -> Site:
    heads, output = layer.attention.self, layer.attention.output
    inside = Hosting(module=heads, host=AttentionHost, settings={"query": "query"})
    return Site(
        hosts={
            Representation.HEADS: inside,
            Representation.CONCAT: inside,
            Representation.SUBLAYER: Hosting(module=output, host=AttentionOutput),
        },
        linears={"query": heads.query, "key": heads.key, "value": heads.value, "output": output.dense},
        dropout=heads.dropout.p,
        kind="encoder_self",
        layer=i,
        stack=stack,
    )


def _ffn(layer: nn.Module, i: int, stack: nn.Module, model: nn.Module) -> Site:
    output = Hosting(module=layer.output, host=FfnOutput)
    return Site(
        hosts={
            Representation.SUBLAYER: output,
            Representation.RESIDUAL: output,
            Representation.LAYER: Hosting(module=layer, host=OutputHost),
        },
        linears={"up": layer.intermediate.dense, "down": layer.output.dense},
        dropout=layer.output.dropout.p,
        kind="encoder_ffn",
        layer=i,
        stack=stack,
        reader=model,
    )
