"""Prefix tuning of models that only have a decoder: all keys and values side by side in `prompt_embeddings`."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, LayerNorm, Rotation, Slot, TextStart
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import part_of
from unidelta.exchange.peft.method import Foreign, Method
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.beside import head_name
from unidelta.injection.injection import Injection

_FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gpt2")


class Prefix(Method):
    """`PrefixTuningConfig`, as it is saved: without its MLP."""

    peft_type = "PREFIX_TUNING"
    reads = frozenset("num_virtual_tokens token_dim num_attention_heads num_layers num_transformer_submodules".split())
    ignores = frozenset({"encoder_hidden_size", "prefix_projection", "init_weights"})

    def is_of(self, design: Design) -> bool:
        """A prefix and nothing else."""
        return isinstance(design, Deltas) and [part.form for part in design.parts] == ["prefix"]

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """An encoder, other positions, another composition."""
        assert isinstance(injection.design, Deltas)
        architecture = architecture_of_model(injection.model)
        yield from _no_decoder(architecture)
        if head_name(injection.model) is not None:
            yield "its backbone classifies by a head, beside which peft saves no prefix in the same way"
        (part,) = injection.design.parts
        if not COMPOSITIONS[part.composition].is_gate:
            yield f"its composition is {part.composition}; peft puts prefix and text under one softmax (gated)"
        if part.layers != "all":
            yield f"it is at layers {part.layers} only; peft's is at all"
        if part.layer_norm is not LayerNorm.NONE or not part.scaled_query:
            yield "its query is normalised or not scaled; peft's is attention's own"
        if part.rotation is not Rotation.AFTER:
            yield "its keys are rotated (rotation=before); peft's are not"
        if part.text_start is not TextStart.LENGTH and architecture.family.kind == "decoder":
            yield "the text is numbered from 0 (text_start=zero); peft numbers it from l"

    def config(self, injection: Injection) -> dict[str, Any]:
        """Sizes."""
        architecture = architecture_of_model(injection.model)
        site = architecture.at(Slot.ATTN)[0]
        assert isinstance(injection.design, Deltas)
        return {
            "num_virtual_tokens": injection.design.parts[0].bottleneck,
            "token_dim": site.n_kv_heads * site.head_width,
            "num_attention_heads": site.n_kv_heads,
            "num_layers": len(architecture.at(Slot.ATTN)),
            "num_transformer_submodules": 1,
            "encoder_hidden_size": site.n_kv_heads * site.head_width,
            "prefix_projection": False,
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """One for all layers: a key, then a value of each."""
        placed = placed_deltas(injection)
        names = tuple(f"{each.name}.form.prefix.{own}" for each in placed for own in ("key", "value"))

        def join(tensors: Sequence[Tensor]) -> Tensor:
            return torch.cat([*tensors], dim=1)

        def split(tensor: Tensor) -> Sequence[Tensor]:
            return tensor.chunk(len(names), dim=1)

        return [Tie(theirs="prompt_embeddings", ours=names, join=join, split=split)]

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """A gated prefix whose text starts at l."""
        architecture = architecture_of_model(model)
        if why := list(_no_decoder(architecture)):
            raise ExchangeError(foreign.asked, "; ".join(why), f"a backbone of {', '.join(_FAMILIES)}")
        site, length = architecture.at(Slot.ATTN)[0], foreign.config.get("num_virtual_tokens")
        stated = {key: foreign.config.get(key) for key in ("num_attention_heads", "num_layers", "token_dim")}
        own = {
            "num_attention_heads": site.n_kv_heads,
            "num_layers": len(architecture.at(Slot.ATTN)),
            "token_dim": site.n_kv_heads * site.head_width,
        }
        wrong = [f"{key} is {stated[key]}, this backbone has {own[key]}" for key in own if stated[key] != own[key]]
        if wrong or type(length) is not int or length < 1 or foreign.config.get("num_transformer_submodules") != 1:
            why = "; ".join(wrong) or f"it has {length} vectors for {foreign.config.get('num_transformer_submodules')}"
            raise ExchangeError(foreign.asked, why, "the folder as peft saved it, with its own backbone")
        part = part_of(
            architecture,
            Slot.ATTN,
            "prefix",
            Insertion.PARALLEL,
            length,
            composition="gated",
            init=Init.BERT,
            dropout=None,
            rotation=Rotation.AFTER,
            text_start=TextStart.LENGTH,
        )
        return Deltas(parts=(part,))


def _no_decoder(architecture: Architecture) -> Iterator[str]:
    family = architecture.family
    if family.kind == "encoder-decoder":
        yield "peft puts a prefix at the decoder's self-attention only, shared between layers, and here each has one"
    elif family.kind == "encoder":
        yield "peft numbers an encoder's text from l on, which this family's embeddings cannot do here"
    elif family.name not in _FAMILIES:
        yield f"peft treats the cache of {family.name} in a way of its own"
