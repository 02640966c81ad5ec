"""Decoder-only models: cached steps are teacher forcing, whatever the padding and the attention (float64, 1e-12)."""

from itertools import cycle

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from unidelta.design.family import FAMILIES
from unidelta.hosts.cache import CACHE
from unidelta.training.recomputing import checkpointing_method

pytestmark = pytest.mark.usefixtures("no_float32")

DECODERS = [name for name, family in FAMILIES.items() if family.kind == "decoder"]
NAMES = "prefix prefix_gated_norm multihead parallel_attn adapter_ffn lora_attn lora_ffn ia3 mam".split()
NAMES += ["prefix_rotated", "prefix_in_front", "parallel_ffn_stream"]
QUICK = {"llama": ("prefix", "prefix_rotated", "parallel_ffn_stream"), "gpt2": ("prefix_gated_norm", "prefix_in_front")}
# windows of 4 tokens, shorter than the text, in all layers or in one of two, and norms of heads
QUICK |= {"mistral": ("mam",), "qwen3": ("prefix_gated_norm",), "gemma3_text": ("multihead", "mam")}
QUICK |= {"qwen2": ("prefix_rotated",)}
CASES = [
    pytest.param(name, family, marks=() if name in QUICK.get(family, ()) else pytest.mark.slow)
    for family in DECODERS
    for name in NAMES
    if name != "prefix_rotated" or FAMILIES[family].is_rotary
]
PADDED = [  # each in front, and none or behind in turn
    pytest.param(*case.values, padding, marks=(*case.marks, *([pytest.mark.slow] if padding == slow else [])))
    for case, slow in zip(CASES, cycle(("none", "right")), strict=False)
    for padding in ("none", "left", "right")
]
TOLERANCE = {"rtol": 0, "atol": 1e-12}
S = 9


def text(padding: str) -> dict[str, Tensor]:
    """Three texts of 9 tokens, the second with 3 of padding in front or behind, and where each token stands."""
    ids = torch.randint(3, 41, (3, S), generator=torch.Generator().manual_seed(9))
    mask = torch.ones_like(ids)
    where = {"left": slice(0, 3), "right": slice(4, 7), "none": slice(0, 0)}[padding]  # right: then two new tokens
    ids[1, where], mask[1, where] = 1, 0
    return {"input_ids": ids, "attention_mask": mask, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}


def cached(model: PreTrainedModel, inputs: dict[str, Tensor], ends: list[int]) -> Tensor:
    """Logits `(3, S, V)`, the text read in pieces that end at these tokens."""
    cache, pieces, begin = DynamicCache(config=model.config), [], 0
    for end in ends:
        piece = {key: inputs[key][:, begin:end] for key in ("input_ids", "position_ids")}
        mask = inputs["attention_mask"][:, :end]
        pieces.append(model(**piece, attention_mask=mask, **{CACHE: cache}, use_cache=True).logits)
        begin = end
    return torch.cat(pieces, dim=1)


@pytest.mark.parametrize("family", ["llama", "qwen3"])
@torch.no_grad()
def test_cached_text_behind_a_prefix_is_numbered_on_where_nothing_says_its_positions(injected, family):
    model = injected("prefix_in_front", family).model.eval().double()
    ids, cache = text("none")["input_ids"], DynamicCache(config=model.config)
    pieces = [model(ids[:, some], **{CACHE: cache}, use_cache=True).logits for some in (slice(0, 4), slice(4, S))]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(ids).logits, **TOLERANCE)


@pytest.mark.parametrize(("name", "family", "padding"), PADDED)
@torch.no_grad()
def test_cached_steps_are_teacher_forcing_under_both_attentions(injected, name, family, padding):
    inputs, forced = text(padding), {}
    is_text = inputs["attention_mask"].bool()
    for attention in ("sdpa", "eager"):
        for is_folded in (False, True):
            injection = injected(name, family, attention=attention)
            model = injection.model.double()
            if is_folded:
                injection.fold()
            forced[attention] = model(**inputs).logits[is_text]
            for ends in ([*range(1, S + 1)], [7, 8, 9], [4, 9]):
                found = cached(model, inputs, ends)[is_text]
                torch.testing.assert_close(found, forced[attention], **TOLERANCE)
    torch.testing.assert_close(forced["sdpa"], forced["eager"], **TOLERANCE)


@pytest.mark.parametrize(("name", "family"), CASES)
@torch.no_grad()
def test_padding_in_front_changes_nothing(injected, name, family):
    model = injected(name, family).model.double()
    inputs = text("left")
    alone = {key: tensor[1:2, 3:] for key, tensor in inputs.items()}
    torch.testing.assert_close(model(**inputs).logits[1:2, 3:], model(**alone).logits, **TOLERANCE)


@pytest.mark.parametrize(
    "settings", [{}, {"num_beams": 3}, {"do_sample": True, "top_k": 5}], ids=["greedy", "beams", "sampling"]
)
@pytest.mark.parametrize(("name", "family"), CASES)
@torch.no_grad()
def test_generation_with_and_without_a_cache_gives_the_same_tokens(injected, name, family, settings):
    injection = injected(name, family)
    injection.fold()
    inputs = text("left")
    del inputs["position_ids"]
    made = []
    for use_cache in (True, False):
        torch.manual_seed(4)
        made.append(injection.model.generate(**inputs, max_new_tokens=8, use_cache=use_cache, **settings))
    assert made[0].equal(made[1]) and made[0].shape[1] > S


@pytest.mark.parametrize(("name", "family"), CASES)
@torch.no_grad()
def test_a_cache_of_fixed_size_gives_the_same_tokens(injected, name, family):
    injection = injected(name, family)
    injection.fold()
    inputs = {key: tensor for key, tensor in text("left").items() if key != "position_ids"}
    static = {"cache_implementation": "static", "disable_compile": True}
    made = [injection.model.generate(**inputs, max_new_tokens=8, do_sample=False, **how) for how in ({}, static)]
    assert made[0].equal(made[1])


@pytest.mark.parametrize(("name", "family"), CASES)
def test_gradient_checkpointing_changes_no_gradient(injected, batch, name, family):
    found = []
    for is_on in (False, True):
        injection = injected(name, family, dropout=0.2)
        model = injection.model.double().train()
        if is_on:
            checkpointing_method(model, "checkpointing_enable")()
            model.enable_input_require_grads()
        torch.manual_seed(8)
        model(**batch(family, padded=True)).loss.backward()
        found.append([parameter.grad for _, parameter in injection.trained_parameters()])
    assert all(gradient is not None for gradient in found[0])
    torch.testing.assert_close(found[1], found[0], **TOLERANCE)
