"""Prepend a prefix to the cached keys and values once per generation, instead of at every token.

Identity: attention sees what is cached; the cache counts tokens only, so positions do not change.
Gain: no copy of all keys and values at every token (docs/performance.md). Folded prefixes, no gradients, transformers'
dynamic cache; in all other cases the prefix is prepended in every call, with the same result.

Shapes: B batch, G heads of keys and values, S cached tokens, E head width, L prefix length.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer, EncoderDecoderCache

from unidelta.deltas.reparam import DirectPrefix
from unidelta.design.axes import Representation
from unidelta.hosts.attention import AttentionHost
from unidelta.hosts.cache import CACHE

_ROOM = 32  # tokens that the buffers of a growing cache have room for before they are reallocated


class CachingAttention(AttentionHost):
    """An attention that passes on how many prefix vectors its cached keys and values start with."""

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        """As `AttentionHost.forward`."""
        is_cross = kwargs.get("key_value_states") is not None
        cached = n_cached(self, kwargs.get(CACHE), is_cross=is_cross)
        return super().forward(hidden_states, *args, cached_prefix=cached, **kwargs)


def n_cached(module: AttentionHost, cache: Cache | None, *, is_cross: bool) -> int:
    """How many prefix vectors an attention's cached keys and values start with; adds them to an empty cache.

    While torch.compile traces, nothing is added; what a cache that was filled before starts with is counted.

    Args:
        module: the attention.
        cache: the model's cache, or None.
        is_cross: whether the keys are the source's, which are all present at the first token.
    """
    if cache is None:
        return 0
    if isinstance(cache, EncoderDecoderCache):
        cache = cache.cross_attention_cache if is_cross else cache.self_attention_cache
    layers, index = cache.layers, module.layer_idx
    if index is None or index >= len(layers):
        return 0
    is_empty = type(layers[index]) is DynamicLayer and not layers[index].is_initialized
    if is_empty and not torch.compiler.is_compiling() and _is_folded(module):
        key_GLE, value_GLE = module.placed(module.deltas[Representation.HEADS].form.keys_values())
        layers[index] = PrefixedLayer(key_GLE, value_GLE, room=0 if is_cross else _ROOM)
    layer = layers[index]
    return layer.prefix_length if isinstance(layer, PrefixedLayer) else 0


def _is_folded(module: AttentionHost) -> bool:
    if Representation.HEADS not in module.deltas or torch.is_grad_enabled():
        return False
    heads = module.deltas[Representation.HEADS]
    is_in_front = heads.compose.is_gate and heads.form.query_norm is None
    return is_in_front and isinstance(heads.form.prefix, DirectPrefix)


class PrefixedLayer(DynamicLayer):
    """Cached keys and values `(B, G, L + S, E)`, the first L the same in every row; the cache's length is S.

    Args:
        key: P_k, `(G, L, E)`.
        value: P_v, `(G, L, E)`.
        room: tokens to leave room for, so that a token is written in place without copying the cache.
    """

    def __init__(self, key: Tensor, value: Tensor, *, room: int) -> None:
        super().__init__()
        self._prefix, self._room = (key, value), room
        self._buffers: tuple[Tensor, Tensor]

    @property
    def prefix_length(self) -> int:
        """L."""
        return self._prefix[0].shape[-2]

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Keys and values of only the prefix, in every row."""
        self.dtype, self.device = key_states.dtype, key_states.device
        batch = key_states.shape[0]
        key, value = (p_GLE.to(key_states).expand(batch, -1, -1, -1) for p_GLE in self._prefix)
        self._buffers, self.keys, self.values = (key, value), key, value
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write the keys and values of new tokens, each `(B, G, n, E)`, and return all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.keys.shape[-2]
        end = begin + key_states.shape[-2]
        if begin == self.prefix_length or end > self._buffers[0].shape[-2]:
            self._buffers = tuple(
                torch.cat([old, new.new_empty(*new.shape[:2], end - begin + self._room, new.shape[3])], dim=2)
                for old, new in ((self.keys, key_states), (self.values, value_states))
            )
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, begin:end] = new
        self._cut(end)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        """S."""
        return self.keys.shape[-2] - self.prefix_length if self.is_initialized else 0

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Reorder the rows for beam search; the prefix is the same in all rows and stays."""
        move_tokens(self, beam_idx, first=self.prefix_length)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Like the stock layer."""
        self._pick(lambda tensor: tensor.repeat_interleave(repeats, dim=0))

    def batch_select_indices(self, indices: Tensor) -> None:
        """Like the stock layer."""
        self._pick(lambda tensor: tensor[indices, ...])

    def _pick(self, rows: Callable[[Tensor], Tensor]) -> None:
        end = self.keys.shape[-2]
        self._buffers = (rows(self._buffers[0]), rows(self._buffers[1]))
        self._cut(end)

    def _cut(self, end: int) -> None:
        self.keys, self.values = self._buffers[0][:, :, :end], self._buffers[1][:, :, :end]


def move_tokens(layer: CacheLayerMixin, beam_idx: Tensor, *, first: int) -> None:
    """Reorder the rows of cached keys and values from token `first` on, in place."""
    for tokens in (layer.keys[:, :, first:], layer.values[:, :, first:]):
        tokens.copy_(tokens.index_select(0, beam_idx.to(tokens.device)))
