"""The sites of BART and its kin, which share module names: attentions, FFNs inside their layers, and a prompt."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from unidelta.deltas.prompt import Prompt
from unidelta.design.axes import Representation
from unidelta.hosts.named import AttentionNames, attentions
from unidelta.hosts.site import Host, Hosting, Site, attach

PROMPT = "prompt"


def encoder_decoder_sites(model: PreTrainedModel, *, layer: type[Host]) -> list[Site]:
    """Encoder self, decoder self and cross attentions, then FFNs.

    Args:
        model: a model with BART's module names.
        layer: the host of a layer, whose FFN has no module of its own.
    """
    encoder, decoder = model.get_encoder(), model.get_decoder()
    maps = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
    own = AttentionNames(module="self_attn", linears=maps, dropout=lambda attention: attention.dropout)
    return [
        *attentions(encoder, encoder.layers, "encoder_self", own),
        *attentions(decoder, decoder.layers, "decoder_self", own),
        *attentions(decoder, decoder.layers, "decoder_cross", replace(own, module="encoder_attn")),
        *(_ffn(each, "encoder_ffn", i, encoder, host=layer) for i, each in enumerate(encoder.layers)),
        *(_ffn(each, "decoder_ffn", i, decoder, host=layer) for i, each in enumerate(decoder.layers)),
    ]


def _ffn(module: nn.Module, kind: str, layer: int, stack: nn.Module, *, host: type[Host]) -> Site:
    hosting = Hosting(module=module, host=host)
    return Site(
        hosts=dict.fromkeys((Representation.SUBLAYER, Representation.RESIDUAL, Representation.LAYER), hosting),
        linears={"up": module.fc1, "down": module.fc2},
        dropout=module.dropout,
        kind=kind,
        layer=layer,
        stack=stack,
    )


class PromptedEncoder(Host):
    """An encoder with prompt vectors before the scaled token embeddings; all positions attend to them."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """The stock forward on l more positions."""
        prompt = self.deltas[PROMPT]
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids) * self.settings["scale"]
        return super().forward(
            attention_mask=prompt.prepend_mask(attention_mask), inputs_embeds=prompt.prepend(inputs_embeds), **kwargs
        )


class PromptedPositions(Host):
    """The encoder's positions: none for the prompt, 0 … n−1 for the tokens as usual."""

    def forward(self, of: Tensor | torch.Size, **kwargs: Any) -> Tensor:
        """Position embeddings `(B, l + n, D)`, or for all texts `(l + n, D)`, zero for the first l.

        Args:
            of: a tensor `(B, l + n)`, or that shape, as the stock module has it.
            kwargs: of the stock module.
        """
        length = self.settings["prompt_length"]
        tokens = of[:, length:] if isinstance(of, Tensor) else torch.Size((of[0], of[1] - length))
        return F.pad(super().forward(tokens, **kwargs), (0, 0, length, 0))


class PromptedDecoder(Host):
    """A decoder whose cross-attention sees the l encoder states of the prompt."""

    def forward(self, *args: Any, encoder_attention_mask: Tensor | None = None, **kwargs: Any) -> Any:
        """The stock forward with l ones prepended to the encoder's mask."""
        if encoder_attention_mask is not None:
            encoder_attention_mask = F.pad(encoder_attention_mask, (self.settings["prompt_length"], 0), value=1)
        return super().forward(*args, encoder_attention_mask=encoder_attention_mask, **kwargs)


def attach_prompt(model: PreTrainedModel, prompt: Prompt, *, positions: str | None, scale: str | None) -> None:
    """Add a prompt to a model's encoder.

    Args:
        model: an encoder-decoder.
        prompt: the prompt.
        positions: the encoder's module of absolute positions; None where positions are relative, to the prompt's too.
        scale: the encoder's factor of token embeddings; None where the embeddings apply it themselves, or have none.
    """
    encoder, decoder = model.get_encoder(), model.get_decoder()
    length = {"prompt_length": prompt.length}
    factor = {"scale": 1.0 if scale is None else getattr(encoder, scale)}
    attach(Hosting(module=encoder, host=PromptedEncoder, settings=factor), PROMPT, prompt)
    if positions is not None:
        hosting = Hosting(module=encoder.get_submodule(positions), host=PromptedPositions, settings=length)
        attach(hosting, PROMPT, None)
    attach(Hosting(module=decoder, host=PromptedDecoder, settings=length), PROMPT, None)
