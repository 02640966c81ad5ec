"""Tiny models of every family, one design per name, and parameters moved away from their start."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from unidelta.design.axes import Init, Insertion, LayerNorm, Reparameterisation, Rotation, Slot, Source, TextStart
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS, Outline
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, FullFineTuning, PromptTuning
from unidelta.fast.switch import speed_up
from unidelta.injection.inject import inject
from unidelta.injection.injection import Injection

from ..copied import copied
from ..float64 import kept_float64

OTHER_DROPOUTS = ("activation_dropout",)
ALIKE = ("qwen2", "xlm-roberta", "electra", "pegasus", "marian")  # their layers are another family's
EVERY_FAMILY = [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in FAMILIES]
LOADERS = {
    "encoder-decoder": AutoModelForSeq2SeqLM,
    "encoder": AutoModelForSequenceClassification,
    "decoder": AutoModelForCausalLM,
}


def _tiny(family: str, *, dropout: float = 0.0, attention: str = "sdpa") -> PreTrainedModel:
    """A stock model, always the same weights, far enough from zero for effects to be seen; in eval mode."""
    return copied(_built(family, dropout, attention))


@cache
def _built(family: str, dropout: float, attention: str) -> PreTrainedModel:
    known = FAMILIES[family]
    dropouts = dict.fromkeys((*filter(None, known.dropouts), *OTHER_DROPOUTS), dropout)
    labels = {"num_labels": 3} if known.head else {}
    config = AutoConfig.for_model(family, **{**known.tiny, **dropouts, **labels})
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = LOADERS[FAMILIES[family].kind].from_config(config, attn_implementation=attention)
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
    kind = FAMILIES[family].kind
    if kind == "encoder-decoder":
        inputs["labels"] = torch.randint(3, 41, (5, 6), generator=generator)
    elif kind == "encoder":
        inputs["labels"] = torch.tensor([2, 0, 1, 0, 2])
    else:
        inputs["labels"] = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
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
    descriptor = FORMS[form]
    outline = Outline(
        slot=Slot(slot),
        insertion=Insertion(insertion),
        at_layer_output=at_layer_output,
        family=FAMILIES[family],
    )
    found = descriptor.released(outline) if conventions == "released" else descriptor.paper(outline)
    spec = DeltaSpec(
        slot=Slot(slot),
        form=form,
        insertion=Insertion(insertion),
        composition=composition,
        bottleneck=6 if descriptor.size else 0,
        representation=found.representation,
        scale=3.0 if composition == "scaled" else 1.0,
        source=found.source,
        init=descriptor.inits[0],
        layer_norm=found.layer_norm,
        bias=found.bias,
        scaled_query=found.scaled_query,
        targets=tuple(descriptor.usual_targets.get(Slot(slot), ())),
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
    "prefix_rotated": lambda f: (_part(f, "attn", "prefix", composition="gated", rotation=Rotation.BEFORE, **_MLP),),
    "prefix_in_front": lambda f: (_part(f, "attn", "prefix", composition="gated", text_start=TextStart.LENGTH),),
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
    "parallel_ffn_stream": lambda f: (_part(f, "ffn", "bottleneck", source=Source.RESIDUAL_STREAM),),
    "parallel_ffn_norm_out": lambda f: (_part(f, "ffn", "bottleneck", layer_norm=LayerNorm.OUT),),
    "scaled_ffn": lambda f: (_part(f, "ffn", "bottleneck", composition="scaled", init=Init.LORA),),
    "learned_scale_ffn": lambda f: (_part(f, "ffn", "bottleneck", composition="learned_scale"),),
    "lora_attn": lambda f: (_part(f, "attn", "low_rank", composition="scaled", init=Init.LORA),),
    "lora_ffn": lambda f: (_part(f, "ffn", "low_rank", composition="scaled", init=Init.LORA),),
    "lora_sequential": lambda f: (_part(f, "attn", "low_rank", "sequential", "learned_scale"),),
    "ia3": lambda f: tuple(_part(f, slot, "diagonal", "sequential") for slot in ("attn", "ffn")),
    "lora_inner": lambda f: (_part(f, "ffn", "low_rank", "sequential", "scaled", targets=("down", "inner")),),
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
    fast: bool = True,
    **changes: Any,
) -> Injection:
    """A tiny model with a design in it.

    `stirred` moves what trains away from its (often zero) start; `delta_dropout` is the delta's own, None the
    host's; `fast` turns on what only makes it faster, as in every run; `changes` are made to every part.
    """
    model = _tiny(family, dropout=dropout, attention=attention)
    if delta_dropout is not None:
        changes["dropout"] = delta_dropout
    injection = inject(model, _design(name, family, **changes), generator=torch.Generator().manual_seed(2))
    if fast:
        speed_up(injection)
    if stirred:
        generator = torch.Generator().manual_seed(3)
        parameters = dict(model.named_parameters())
        for trained in injection.trained:
            noise = torch.randn(parameters[trained].shape, generator=generator)
            parameters[trained].data += 0.3 * noise
    return injection


@pytest.fixture
def no_float32() -> Iterator[None]:
    """Float64 stays float64."""
    with kept_float64():
        yield


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
