"""Beam search that does not reorder the keys and values of the source.

Identity: they belong to an example, and beams are reordered only within an example.
Gain: the source's keys and values are not copied at every token (docs/performance.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, EncoderDecoderCache


@contextmanager
def source_in_place(model: PreTrainedModel) -> Iterator[None]:
    """Within a context; transformers calls a model's `_reorder_cache` if it has one."""
    if model.config.is_encoder_decoder:
        model._reorder_cache = _reorder_targets
    try:
        yield
    finally:
        vars(model).pop("_reorder_cache", None)


def _reorder_targets(cache: Cache, beam_idx: Tensor) -> Cache:
    (cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache).reorder_cache(beam_idx)
    return cache
