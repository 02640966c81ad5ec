"""Merging for evaluation: the same logits and tokens, and afterwards the same bits."""

from copy import deepcopy

import pytest
import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from unidelta.deltas.compose import Add
from unidelta.fast.switch import merged
from unidelta.hosts.linear import LinearHost

NAMES = (
    "lora_attn lora_ffn lora_sequential lora_inner ia3 learned_scale_ffn scaled_ffn parallel_ffn_norm_out mam prefix "
    "full"
).split()


def beam_search(model: PreTrainedModel, inputs: dict, **settings) -> torch.Tensor:
    sources = {key: inputs[key] for key in ("input_ids", "attention_mask")}
    return model.generate(**sources, num_beams=3, max_new_tokens=8, do_sample=False, early_stopping=False, **settings)


@pytest.mark.parametrize("family", ["bart", "mbart", "roberta"])
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_a_merged_model_computes_the_same_and_is_what_it_was_afterwards(injected, batch, name, family):
    injection = injected(name, family)
    model, inputs = injection.model.double(), batch(family, padded=True)
    injection.fold()
    before, logits = deepcopy(model.state_dict()), model(**inputs).logits
    with merged(injection):
        torch.testing.assert_close(model(**inputs).logits, logits, rtol=0, atol=1e-11)
    assert all(tensor.equal(before[key]) for key, tensor in model.state_dict().items())
    assert model(**inputs).logits.equal(logits)


@pytest.mark.parametrize(
    ("name", "family"), [*((name, "bart") for name in NAMES), *((name, "mbart") for name in ("mam", "lora_inner"))]
)
@torch.no_grad()
def test_beam_search_of_a_merged_model_gives_the_same_tokens(injected, batch, name, family):
    injection = injected(name, family)
    inputs = batch(family, padded=True)
    plain = beam_search(injection.model, inputs, use_cache=False)
    injection.fold()
    with merged(injection):
        assert beam_search(injection.model, inputs).equal(plain)
    assert beam_search(injection.model, inputs).equal(plain)


def test_nothing_is_left_to_compute_but_what_cannot_be_merged(injected):
    injection = injected("lora_attn", "bart")
    with merged(injection):
        assert not any(isinstance(module, LinearHost) for module in injection.model.modules())
    assert any(isinstance(module, LinearHost) for module in injection.model.modules())
    injection = injected("learned_scale_ffn", "bart")
    layer = injection.model.get_decoder().layers[0]
    n_units, bottleneck = layer.fc1.out_features, layer.deltas["sublayer"].form.down.out_features
    with merged(injection):
        assert len(layer.deltas) == 0
        assert layer.fc1.out_features == layer.fc2.in_features == n_units + bottleneck
    assert layer.fc1.out_features == n_units
    injection = injected("learned_scale_ffn", "roberta")
    with merged(injection):
        deltas = [m for name, m in injection.model.named_modules() if name.endswith("deltas.sublayer")]
        assert deltas and all(type(delta.compose) is Add and delta.compose.scale == 1 for delta in deltas)


def test_a_failure_inside_leaves_the_model_as_it_was(injected, batch):
    injection = injected("lora_attn", "bart")
    logits = injection.model(**batch("bart")).logits
    with pytest.raises(KeyError), merged(injection):
        raise KeyError
    assert injection.model(**batch("bart")).logits.equal(logits)


@pytest.mark.parametrize("name", ["full", "lora_attn", "prefix", "mam"])
@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt2"])
@torch.no_grad()
def test_a_prompt_that_stays_is_what_reordering_it_would_leave(injected, batch, name, family):
    """Gemma 3 has layers with a window, which keep the last tokens alone."""
    injection = injected(name, family)
    inputs = batch(family, padded=True)
    plain = beam_search(injection.model, inputs, use_cache=False)
    injection.fold()
    moved = []
    with merged(injection):
        in_place = injection.model._reorder_cache

        def compared(cache: Cache, beam_idx: torch.Tensor) -> Cache:
            stock = deepcopy(cache)
            for layer in stock.layers:
                layer.keys, layer.values = layer.keys[beam_idx], layer.values[beam_idx]
            found = in_place(cache, beam_idx)
            for mine, theirs in zip(found.layers, stock.layers, strict=True):
                # rows of one prompt may differ in their last bit
                torch.testing.assert_close(mine.keys, theirs.keys, rtol=0, atol=1e-5)
                torch.testing.assert_close(mine.values, theirs.values, rtol=0, atol=1e-5)
            moved.append(not beam_idx.equal(torch.arange(len(beam_idx))))
            return found

        injection.model._reorder_cache = compared
        assert beam_search(injection.model, inputs).equal(plain)
        assert beam_search(injection.model, inputs).equal(plain)  # another cache
    assert sum(moved) > 4
