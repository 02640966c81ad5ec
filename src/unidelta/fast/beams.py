"""Beam search that leaves the keys and values of the source where they are.

Identity: they belong to an example, and beams are only ever exchanged within one.
Gain: no copy of the source's keys and values at every token (docs/performance.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, EncoderDecoderCache


@contextmanager
def source_in_place(model: PreTrainedModel) -> Iterator[None]:
    """As long as the context lasts; transformers asks a model that has a `_reorder_cache` for it."""
    if model.config.is_encoder_decoder:
        model._reorder_cache = _reorder_targets
    try:
        yield
    finally:
        vars(model).pop("_reorder_cache", None)


def _reorder_targets(cache: Cache, beam_idx: Tensor) -> Cache:
    (cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache).reorder_cache(beam_idx)
    return cache
