"""With rotary positions, how much padding is in front of a text changes nothing: not beside a prefix either."""

import pytest
import torch
from torch import Tensor

from unidelta.hosts.cache import CACHE

TEXT = torch.tensor([[33, 4, 18, 26, 11]])
DESIGNS = ("prefix", "prefix_direct", "prefix_rotated", "prefix_in_front", "multihead_direct")
FAMILIES = ("llama", "gemma3_text", "modernbert", pytest.param("qwen3", marks=pytest.mark.slow))


def padded(n: int) -> dict[str, Tensor]:
    """The text behind n tokens of padding, in the second row; a longer text in the first."""
    ids, mask = torch.ones(2, 5 + n, dtype=torch.long), torch.ones(2, 5 + n, dtype=torch.long)
    ids[0], ids[1, n:] = torch.arange(3, 8 + n), TEXT
    mask[1, :n] = 0
    return {"input_ids": ids, "attention_mask": mask}


def states(model, *args: Tensor, **inputs: Tensor) -> Tensor:
    with torch.no_grad():
        return model.base_model(*args, **inputs).last_hidden_state


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", DESIGNS)
def test_a_text_is_the_same_behind_any_padding(injected, name, family, is_folded):
    injection = injected(name, family)
    if is_folded:
        injection.fold()
    model, expected = injection.model, states(injection.model, TEXT)
    for n in (1, 4):
        inputs = padded(n)
        found = states(model, **inputs)
        torch.testing.assert_close(found[1:, n:], expected, rtol=0, atol=2e-5)
        assert found.equal(states(model, *inputs.values())), "without keywords too"
        torch.testing.assert_close(found[:1], states(model, inputs["input_ids"][:1]), rtol=0, atol=2e-5)
        embeds = model.get_input_embeddings()(inputs["input_ids"]).detach()
        assert found.equal(states(model, attention_mask=inputs["attention_mask"], inputs_embeds=embeds))


@pytest.mark.parametrize("is_folded", [False, True])
@pytest.mark.parametrize("family", ["mistral", "qwen2", "gemma3_text"])
def test_a_text_behind_padding_is_continued_from_its_cache(injected, family, is_folded):
    injection = injected("mam", family)
    if is_folded:
        injection.fold()
    model, inputs, expected = injection.model, padded(3), states(injection.model, TEXT)
    mask, ids = inputs["attention_mask"], inputs["input_ids"]
    with torch.no_grad():
        first = model(input_ids=ids[:, :6], attention_mask=mask[:, :6], use_cache=True)
    cache = {CACHE: getattr(first, CACHE)}
    for begin, end in ((6, 7), (7, 8)):
        found = states(model, input_ids=ids[:, begin:end], attention_mask=mask[:, :end], **cache)
        torch.testing.assert_close(found[1], expected[0, begin - 3 : end - 3], rtol=0, atol=2e-5)


@pytest.mark.parametrize("family", ["llama", "modernbert"])
@pytest.mark.parametrize("name", ["mam", "prefix_in_front"])
def test_other_texts_are_numbered_as_by_the_stock_model(injected, batch, name, family):
    model, inputs = injected(name, family).model, batch(family, padded=True)
    del inputs["labels"]
    positions = torch.arange(7).expand(5, -1)
    assert states(model, **inputs).equal(states(model, **inputs, position_ids=positions))
    ids, mask = inputs["input_ids"], torch.ones(5, 7)
    assert states(model, ids).equal(states(model, ids, position_ids=positions[:1]))
    assert states(model, ids, mask).equal(states(model, ids))


def test_positions_that_are_given_are_kept(injected):
    model, inputs = injected("prefix", "llama").model, padded(2)
    positions = (inputs["attention_mask"].cumsum(1) - 1).clamp(min=0)
    found = states(model, **inputs)
    assert found[1, 2:].equal(states(model, **inputs, position_ids=positions)[1, 2:])
    assert not found[1, 2:].allclose(states(model, **inputs, position_ids=positions + 3)[1, 2:])


def test_a_model_with_padding_is_one_graph(injected):
    model = injected("prefix", "llama").model
    del model.base_model.layers[1:]
    torch._dynamo.reset()
    explained = torch._dynamo.explain(model)(**padded(2))
    assert (explained.graph_count, explained.graph_break_count) == (1, 0)
