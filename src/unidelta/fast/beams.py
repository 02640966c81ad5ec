"""Beam search that does not reorder the keys and values of the source, or of a decoder's prompt.

Identity: they belong to an example, and beams are reordered only within an example.
Gain: the source's keys and values are not copied at every token (docs/performance.md).
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer, EncoderDecoderCache

from unidelta.fast.cached_prefix import PrefixedLayer, move_tokens


@contextmanager
def source_in_place(model: PreTrainedModel) -> Iterator[None]:
    """A context in which beam search reorders the generated tokens only.

    transformers calls a model's `_reorder_cache` if it has one.
    """
    model._reorder_cache = _reorder_targets if model.config.is_encoder_decoder else PromptInPlace().reorder
    try:
        yield
    finally:
        vars(model).pop("_reorder_cache", None)


def _reorder_targets(cache: Cache, beam_idx: Tensor) -> Cache:
    (cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache).reorder_cache(beam_idx)
    return cache


class PromptInPlace:
    """Reorders the caches of a decoder, one generation after the other.

    A cache is first reordered when it holds the prompt alone, which is equal in all beams of an example. Only what
    comes later is moved; in a layer that does not keep all keys in their order, everything.
    """

    def __init__(self) -> None:
        self._cache: Callable[[], Cache | None] = lambda: None
        self._prompts: list[int | None] = []

    def reorder(self, cache: Cache, beam_idx: Tensor) -> Cache:
        """The cache with its rows in the order of `beam_idx`."""
        if self._cache() is not cache:
            self._cache, self._prompts = weakref.ref(cache), [_length(layer) for layer in cache.layers]
            return cache
        for layer, prompt in zip(cache.layers, self._prompts, strict=True):
            if prompt is None:
                layer.reorder_cache(beam_idx)
            else:
                move_tokens(layer, beam_idx, first=prompt)
        return cache


def _length(layer: CacheLayerMixin) -> int | None:
    """How many keys a layer has, those of a prefix too; None if it does not keep all in their order."""
    return layer.keys.shape[-2] if type(layer) in (DynamicLayer, PrefixedLayer) else None
