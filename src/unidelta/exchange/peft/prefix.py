"""Prefix tuning of models that only have a decoder: all keys and values side by side in `prompt_embeddings`."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.axes import LayerNorm, Rotation, Slot, TextStart
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import gated_prefix
from unidelta.exchange.peft.method import Foreign, PeftMethod
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.beside import head_name
from unidelta.injection.injection import Injection

_FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gpt2")


class PeftPrefix(PeftMethod):
    """`PrefixTuningConfig`, as it is saved: without its MLP."""

    peft_type = "PREFIX_TUNING"
    reads = frozenset("num_virtual_tokens token_dim num_attention_heads num_layers num_transformer_submodules".split())
    ignores = frozenset({"encoder_hidden_size", "prefix_projection", "init_weights"})

    def is_of(self, injection: Injection) -> bool:
        """A prefix and nothing else."""
        return [part.form for part in injection.parts] == ["prefix"]

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """An encoder, other positions, another composition."""
        architecture = architecture_of_model(injection.model)
        yield from _no_decoder(architecture)
        if head_name(injection.model) is not None:
            yield "its backbone classifies by a head, beside which peft saves no prefix in the same way"
        (part,) = injection.parts
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
        sizes = _sizes(architecture_of_model(injection.model))
        return {
            **sizes,
            "num_virtual_tokens": injection.parts[0].bottleneck,
            "num_transformer_submodules": 1,
            "encoder_hidden_size": sizes["token_dim"],
            "prefix_projection": False,
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """One for all layers: a key, then a value of each."""
        placed = placed_deltas(injection)
        names = tuple(f"{each.name}.form.prefix.{own}" for each in placed for own in ("key", "value"))
        return [
            Tie(
                theirs="prompt_embeddings",
                ours=names,
                join=lambda tensors: torch.cat([*tensors], dim=1),
                split=lambda tensor: tensor.chunk(len(names), dim=1),
            )
        ]

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """A gated prefix whose text starts at l."""
        architecture, config = architecture_of_model(model), foreign.config
        if why := list(_no_decoder(architecture)):
            raise ExchangeError(foreign.asked, "; ".join(why), f"a backbone of {', '.join(_FAMILIES)}")
        sizes = _sizes(architecture).items()
        wrong = [f"{key} is {config.get(key)}, this backbone has {n}" for key, n in sizes if config.get(key) != n]
        length, n_stacks = config.get("num_virtual_tokens"), config.get("num_transformer_submodules")
        if wrong or type(length) is not int or length < 1 or n_stacks != 1:
            why = "; ".join(wrong) or f"it has {length} vectors for {n_stacks}"
            raise ExchangeError(foreign.asked, why, "the folder as peft saved it, with its own backbone")
        part = gated_prefix(architecture, length, rotation=Rotation.AFTER, text_start=TextStart.LENGTH)
        return Deltas(parts=(part,))


def _sizes(architecture: Architecture) -> dict[str, int]:
    site, *others = architecture.at(Slot.ATTN)
    return {
        "num_attention_heads": site.n_kv_heads,
        "num_layers": 1 + len(others),
        "token_dim": site.n_kv_heads * site.head_width,
    }


def _no_decoder(architecture: Architecture) -> Iterator[str]:
    family = architecture.family
    if family.kind == "encoder-decoder":
        yield "peft puts a prefix at the decoder's self-attention only, shared between layers, and here each has one"
    elif family.kind == "encoder":
        yield "peft numbers an encoder's text from l on, which this family's embeddings cannot do here"
    elif family.name not in _FAMILIES:
        yield f"peft treats the cache of {family.name} in a way of its own"
