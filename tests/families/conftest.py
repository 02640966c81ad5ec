"""Tiny models of the four families, one design per name, and parameters moved away from their start."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    MBartConfig,
    MBartForConditionalGeneration,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from unidelta.design.axes import (
    Composition,
    Conventions,
    Family,
    Form,
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Slot,
)
from unidelta.design.conventions import details
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, FullFineTuning, PromptTuning
from unidelta.families.inject import Injection, inject

_SEQ2SEQ = {
    "bart": (BartConfig, BartForConditionalGeneration),
    "mbart": (MBartConfig, MBartForConditionalGeneration),
}
_ENCODERS = {
    "roberta": (RobertaConfig, RobertaForSequenceClassification),
    "bert": (BertConfig, BertForSequenceClassification),
}


def _tiny(family: str, *, dropout: float = 0.0, attention: str = "sdpa") -> PreTrainedModel:
    """A stock model, always the same weights, far enough from zero for effects to be seen; in eval mode."""
    return deepcopy(_built(family, dropout, attention))


@cache
def _built(family: str, dropout: float, attention: str) -> PreTrainedModel:
    if family in _SEQ2SEQ:
        config_class, model_class = _SEQ2SEQ[family]
        config = config_class(
            vocab_size=41,
            d_model=12,
            encoder_layers=2,
            decoder_layers=3,
            encoder_ffn_dim=20,
            decoder_ffn_dim=20,
            encoder_attention_heads=3,
            decoder_attention_heads=3,
            max_position_embeddings=40,
            dropout=dropout,
            attention_dropout=dropout,
            activation_dropout=dropout,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            decoder_start_token_id=2,
            forced_eos_token_id=None,
        )
    else:
        config_class, model_class = _ENCODERS[family]
        config = config_class(
            vocab_size=41,
            hidden_size=12,
            num_hidden_layers=2,
            intermediate_size=20,
            num_attention_heads=3,
            max_position_embeddings=40,
            type_vocab_size=2,
            num_labels=3,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
            pad_token_id=1,
        )
    config._attn_implementation = attention
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = model_class(config)
        for parameter in model.parameters():
            parameter.data += 0.15 * torch.randn_like(parameter)
    return model.eval()


def _batch(family: str, *, padded: bool = False, seed: int = 5) -> dict[str, Tensor]:
    """Five sources of 7 tokens (the second with 3 of padding if `padded`), and 6 target tokens or labels."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {"input_ids": torch.randint(3, 41, (5, 7), generator=generator)}
    inputs["attention_mask"] = torch.ones(5, 7, dtype=torch.long)
    if padded:
        inputs["input_ids"][1, 4:] = 1
        inputs["attention_mask"][1, 4:] = 0
    if family in _SEQ2SEQ:
        inputs["labels"] = torch.randint(3, 41, (5, 6), generator=generator)
    else:
        inputs["labels"] = torch.tensor([2, 0, 1, 0, 2])
    return inputs


def _part(
    family: str,
    slot: str,
    form: str,
    insertion: str = "parallel",
    composition: str = "additive",
    *,
    at_layer_output: bool = False,
    conventions: str = "released",
    **changes: Any,
) -> DeltaSpec:
    """A delta as a convention has it on a family; `changes` are fields of `DeltaSpec`."""
    found = details(
        slot=Slot(slot),
        form=Form(form),
        insertion=Insertion(insertion),
        at_layer_output=at_layer_output,
        family=Family(family),
        conventions=Conventions(conventions),
    )
    targets = (("query", "value") if slot == "attn" else ("up", "down")) if form == "low_rank" else ()
    spec = DeltaSpec(
        slot=Slot(slot),
        form=Form(form),
        insertion=Insertion(insertion),
        composition=Composition(composition),
        bottleneck=6,
        representation=found.representation,
        scale=3.0 if composition == "scaled" else 1.0,
        source=found.source,
        layer_norm=found.layer_norm,
        bias=found.bias,
        scaled_query=found.scaled_query,
        targets=targets,
        mlp_width=8,
    )
    return replace(spec, **changes)


_MLP = {"reparameterisation": Reparameterisation.MLP}
_PARTS: dict[str, Callable[[str], tuple[DeltaSpec, ...]]] = {
    "prefix": lambda f: (_part(f, "attn", "prefix", composition="gated", **_MLP),),
    "prefix_direct": lambda f: (_part(f, "attn", "prefix", composition="gated"),),
    "prefix_additive": lambda f: (_part(f, "attn", "prefix"),),
    "prefix_gated_norm": lambda f: (_part(f, "attn", "prefix", composition="gated", layer_norm=LayerNorm.IN, **_MLP),),
    "prefix_additive_norm": lambda f: (_part(f, "attn", "prefix", layer_norm=LayerNorm.IN),),
    "multihead": lambda f: (_part(f, "attn", "head_adapter", **_MLP),),
    "multihead_direct": lambda f: (_part(f, "attn", "head_adapter"),),
    "adapter_attn": lambda f: (_part(f, "attn", "bottleneck", "sequential"),),
    "adapter_ffn": lambda f: (_part(f, "ffn", "bottleneck", "sequential"),),
    "pfeiffer": lambda f: (_part(f, "ffn", "bottleneck", "sequential", at_layer_output=True),),
    "pfeiffer_paper": lambda f: (
        _part(f, "ffn", "bottleneck", "sequential", at_layer_output=True, conventions="paper"),
    ),
    "parallel_attn": lambda f: (_part(f, "attn", "bottleneck"),),
    "parallel_attn_paper": lambda f: (_part(f, "attn", "bottleneck", conventions="paper"),),
    "parallel_ffn": lambda f: (_part(f, "ffn", "bottleneck"),),
    "parallel_ffn_paper": lambda f: (_part(f, "ffn", "bottleneck", conventions="paper"),),
    "parallel_ffn_norm_out": lambda f: (_part(f, "ffn", "bottleneck", layer_norm=LayerNorm.OUT),),
    "scaled_ffn": lambda f: (_part(f, "ffn", "bottleneck", composition="scaled", init=Init.LORA),),
    "learned_scale_ffn": lambda f: (_part(f, "ffn", "bottleneck", composition="learned_scale"),),
    "lora_attn": lambda f: (_part(f, "attn", "low_rank", composition="scaled", init=Init.LORA),),
    "lora_ffn": lambda f: (_part(f, "ffn", "low_rank", composition="scaled", init=Init.LORA),),
    "lora_sequential": lambda f: (_part(f, "attn", "low_rank", "sequential", "learned_scale"),),
}
_PARTS |= {
    "houlsby": lambda f: _PARTS["adapter_attn"](f) + _PARTS["adapter_ffn"](f),
    "parallel_both": lambda f: _PARTS["parallel_attn"](f) + _PARTS["parallel_ffn"](f),
    "mam": lambda f: _PARTS["prefix"](f) + _PARTS["scaled_ffn"](f),
    "prefix_lora": lambda f: _PARTS["prefix"](f) + _PARTS["lora_ffn"](f),
}


def _design(name: str, family: str, **changes: Any) -> Design:
    """A design by name; `changes` are made to every part."""
    if name == "prompt":
        return PromptTuning(length=4)
    if name in ("bitfit", "full"):
        return BitFit() if name == "bitfit" else FullFineTuning()
    return Deltas(parts=tuple(replace(part, **changes) for part in _PARTS[name](family)))


def _injected(
    name: str,
    family: str,
    *,
    stirred: bool = True,
    dropout: float = 0.0,
    delta_dropout: float | None = None,
    attention: str = "sdpa",
    **changes: Any,
) -> Injection:
    """A tiny model with a design in it.

    `stirred` moves what trains away from its (often zero) start; `delta_dropout` is the delta's own, None the
    host's; `changes` are made to every part.
    """
    model = _tiny(family, dropout=dropout, attention=attention)
    if delta_dropout is not None:
        changes["dropout"] = delta_dropout
    injection = inject(model, _design(name, family, **changes), generator=torch.Generator().manual_seed(2))
    if stirred:
        generator = torch.Generator().manual_seed(3)
        parameters = dict(model.named_parameters())
        for trained in injection.trained:
            noise = torch.randn(parameters[trained].shape, generator=generator)
            parameters[trained].data += 0.3 * noise
    return injection


@pytest.fixture(scope="session")
def tiny() -> Callable[..., PreTrainedModel]:
    return _tiny


@pytest.fixture(scope="session")
def batch() -> Callable[..., dict[str, Tensor]]:
    return _batch


@pytest.fixture(scope="session")
def part() -> Callable[..., DeltaSpec]:
    return _part


@pytest.fixture(scope="session")
def design() -> Callable[..., Design]:
    return _design


@pytest.fixture(scope="session")
def injected() -> Callable[..., Injection]:
    return _injected
