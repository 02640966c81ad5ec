"""Frozen weights stored in half precision: bit for bit what autocast computes from float32 ones, in half the memory."""

import pytest
import torch
from torch import nn

import unidelta
from unidelta import deltas_of as injection_of
from unidelta.errors import UserError
from unidelta.extensions.folders import config_names
from unidelta.fast.half_weights import store_frozen, store_in_half
from unidelta.fast.switch import speed_up
from unidelta.injection import saved
from unidelta.injection.inject import inject

CASES = [
    *(
        (name, "bart")
        for name in "prefix houlsby parallel_both lora_attn mam bitfit prompt ia3 learned_scale_ffn".split()
    ),
    *((name, "roberta") for name in ("pfeiffer", "multihead", "lora_ffn")),
    *((name, "llama") for name in ("mam", "lora_attn", "ia3", "multihead")),
]


def step(injection, inputs, dtype: torch.dtype) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    injection.model.zero_grad()
    with torch.autocast("cpu", dtype=dtype):
        output = injection.model(**inputs)
    output.loss.backward()
    return output.logits, {name: parameter.grad.clone() for name, parameter in injection.trained_parameters()}


@pytest.mark.parametrize("is_fast", [True, False])
@pytest.mark.parametrize(("name", "family"), CASES)
def test_logits_and_gradients_are_those_of_autocast(injected, batch, name, family, is_fast):
    injection = injected(name, family, fast=is_fast)
    inputs, kept = batch(family, padded=True), {n: p.dtype for n, p in injection.trained_parameters()}
    logits, gradients = step(injection, inputs, torch.bfloat16)
    assert store_in_half(injection.model, torch.bfloat16) > 0
    found, others = step(injection, inputs, torch.bfloat16)
    assert torch.equal(found, logits)
    assert all(torch.equal(others[n], gradients[n]) for n in gradients)
    assert {n: p.dtype for n, p in injection.trained_parameters()} == kept


@pytest.mark.parametrize("method", sorted({*config_names("method")} - {"full", "frozen", "bitfit", "prompt"}))
def test_every_method_that_reads_weights_reads_them_whole(tiny, batch, method):
    """DoRA's norm of a weight, a prefix made by the frozen maps of keys: in float32, and folded without autocast."""
    model = tiny("llama").train()
    try:
        injection = unidelta.inject(model, method, budget=4)
    except UserError:
        injection = unidelta.inject(model, method)
    model.eval()
    inputs = batch("llama", padded=True)
    logits, gradients = step(injection, inputs, torch.bfloat16)
    assert store_in_half(injection.model, torch.bfloat16) > 0
    found, others = step(injection, inputs, torch.bfloat16)
    assert torch.equal(found, logits) and all(torch.equal(others[n], gradients[n]) for n in gradients)
    injection.fold()
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        torch.testing.assert_close(model(**inputs).logits, logits.detach(), rtol=0, atol=0.1)


@pytest.mark.parametrize("family", ["bart", "roberta", "llama"])
def test_half_the_bytes_of_linear_maps_and_nothing_else(tiny, design, family):
    injection = inject(tiny(family), design("lora_attn", family), generator=torch.Generator())
    before = {name: parameter.clone() for name, parameter in injection.model.named_parameters()}
    tied = {
        id(p) for m in injection.model.modules() if not isinstance(m, nn.Linear) for p in m.parameters(recurse=False)
    }
    n_bytes = store_in_half(injection.model, torch.float16)
    after = dict(injection.model.named_parameters())
    halved = {name for name, p in after.items() if p.dtype == torch.float16}
    maps = {n for n, p in after.items() if id(p) not in tied and not p.requires_grad}
    assert halved == maps and n_bytes == sum(2 * after[name].numel() for name in maps) > 0
    assert all(torch.equal(after[name], before[name].half()) for name in halved)
    assert all(torch.equal(after[name], before[name]) for name in after.keys() - halved)


def test_saved_deltas_belong_to_the_backbone_as_it_was_loaded(injected, tiny, batch, tmp_path):
    injection = injected("mam", "llama", stirred=False)
    store_frozen(injection, torch.float32, new=())
    assert {p.dtype for p in injection.model.parameters()} == {torch.float32} and injection.as_loaded is None
    store_frozen(injection, torch.bfloat16, new=())
    for _, parameter in injection.trained_parameters():
        parameter.data += 0.1
    saved.save(injection, tmp_path)
    loaded = saved.load(tmp_path, tiny("llama")).model
    injection.fold()
    speed_up(injection_of(loaded))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        assert torch.equal(loaded(**batch("llama")).logits, injection.model(**batch("llama")).logits)
