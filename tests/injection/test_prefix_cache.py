"""A prefix in the cache: stored once, not counted, and the same tokens as if it were prepended at every token."""

import pytest
import torch
from transformers import DynamicCache, EncoderDecoderCache

from unidelta.fast.cached_prefix import PrefixedLayer
from unidelta.hosts.cache import CACHE

L, H, E = 3, 2, 4


def layer(room: int = 2) -> PrefixedLayer:
    generator = torch.Generator().manual_seed(0)
    key, value = (torch.randn(H, L, E, generator=generator) for _ in "kv")
    return PrefixedLayer(key, value, room=room)


def tokens(n: int, seed: int = 1, batch: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, H, n, E, generator=generator), torch.randn(batch, H, n, E, generator=generator)


@pytest.mark.parametrize("room", [0, 2])
def test_a_layer_is_the_prefix_followed_by_all_tokens_and_counts_the_tokens(room):
    cache, expected = layer(room), None
    assert cache.get_seq_length() == 0
    for step, n in enumerate((3, 1, 1, 4)):
        new = tokens(n, seed=step)[0]
        expected = new if expected is None else torch.cat([expected, new], dim=2)
        keys, _ = cache.update(*tokens(n, seed=step))
        assert keys[:, :, :L].equal(cache._prefix[0].expand(4, -1, -1, -1))
        assert keys[:, :, L:].equal(expected) and keys is cache.keys
        assert cache.get_seq_length() == expected.shape[2]
        assert cache.get_mask_sizes(1) == (expected.shape[2] + 1, 0)


def test_rows_and_lengths_change_as_in_the_stock_layer():
    ours, stock = layer(), DynamicCache().layer_class_to_replicate()
    for cache in (ours, stock):
        cache.update(*tokens(5))
        cache.reorder_cache(torch.tensor([3, 3, 0, 1]))
        cache.crop(-2)
        cache.update(*tokens(1, seed=2))
        cache.batch_repeat_interleave(2)
        cache.batch_select_indices(torch.tensor([7, 0, 2]))
        cache.update(*tokens(1, seed=3, batch=3))
    assert ours.keys[:, :, L:].equal(stock.keys) and ours.values[:, :, L:].equal(stock.values)
    assert ours.keys[:, :, :L].equal(ours._prefix[0].expand(3, -1, -1, -1))
    ours.reset()
    assert ours.get_seq_length() == 0
    assert ours.update(*tokens(1))[0].shape == (4, H, L + 1, E)


@pytest.mark.parametrize("family", ["bart", "mbart"])
@torch.no_grad()
def test_a_folded_prefix_is_put_into_an_empty_cache_once(injected, batch, family):
    injection = injected("prefix", family)
    model, inputs = injection.model, batch(family, padded=True)
    del inputs["labels"]
    settings = {"max_new_tokens": 36, "min_new_tokens": 35, "do_sample": False, "return_dict_in_generate": True}
    before = model.generate(**inputs, **settings)
    assert not any(isinstance(found, PrefixedLayer) for found in getattr(before, CACHE).self_attention_cache.layers)
    injection.fold()
    after = model.generate(**inputs, **settings)
    assert after.sequences.equal(before.sequences)
    for cache in (getattr(after, CACHE).self_attention_cache, getattr(after, CACHE).cross_attention_cache):
        assert all(isinstance(found, PrefixedLayer) for found in cache.layers)
    assert getattr(after, CACHE).get_seq_length() == after.sequences.shape[1] - 1
    with torch.enable_grad():  # what was begun with a prefix in the cache goes on with it
        more = model(**inputs, decoder_input_ids=after.sequences[:, -1:], **{CACHE: getattr(after, CACHE)})
    forced = model(**inputs, decoder_input_ids=after.sequences).logits[:, -1:]
    torch.testing.assert_close(more.logits, forced, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "family", "n_more", "is_short"),
    [
        *(("prefix", "qwen3", 2, True), ("mam", "gpt2", 1, True)),  # tracing costs a second per layer
        *(
            pytest.param(name, family, n_more, False, marks=pytest.mark.slow)
            for name, family in (("prefix", "qwen3"), ("mam", "gpt2"))
            for n_more in (1, 2)
        ),
    ],
)
@torch.no_grad()
def test_a_cache_that_was_filled_before_compiling_is_continued_with_the_prefix_in_it(
    injected, name, family, n_more, is_short
):
    injection = injected(name, family)
    injection.fold()
    model, text = injection.model, torch.tensor([[5, 9, 3, 17, 30, 8], [11, 4, 22, 6, 7, 25]])
    if is_short:
        del getattr(model.base_model, "h" if family == "gpt2" else "layers")[1:]
    expected = model(text).logits[:, -n_more:]
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager")
    for first, then in ((model, compiled), (compiled, model)):
        cache = getattr(first(text[:, :-n_more], use_cache=True), CACHE)
        assert any(isinstance(layer, PrefixedLayer) for layer in cache.layers) == (first is model)
        found = then(text[:, -n_more:], **{CACHE: cache}).logits
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_cache_that_gradients_flow_through_has_no_prefix_in_it(injected, batch):
    injection = injected("prefix_direct", "bart")
    inputs = batch("bart")
    caches = EncoderDecoderCache(DynamicCache(config=injection.model.config), DynamicCache())
    loss = injection.model(**inputs, **{CACHE: caches}, use_cache=True).loss
    loss.backward()
    assert all(parameter.grad is not None for parameter in injection.model.parameters() if parameter.requires_grad)
