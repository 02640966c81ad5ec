"""`delta_attention` with the optimisations of this package, registered with transformers under its own name."""

from functools import partial
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface

from unidelta.fast.one_query import one_query
from unidelta.fast.padded_keys import in_front_padded
from unidelta.fast.prefixes_once import Prefixes, vectors_of
from unidelta.hosts.attention import (
    BASES,
    PREFIX,
    AttentionFunction,
    attended_in_front,
    delta_attention,
    explicit,
    in_front,
)


def fast_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    base: AttentionFunction,
    prefixes: Prefixes | None = None,
    cached_prefix: int = 0,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Like `delta_attention`.

    Args:
        module: the attention module.
        query: `(B, H, T, E)`.
        key: `(B, G, S, E)`, or `(B, G, L + S, E)` with a prefix in front.
        value: of the same shape.
        attention_mask: of the S keys.
        base: the attention to change.
        prefixes: output of each prefix MLP in this forward of the model; None if every layer computes its own.
        cached_prefix: number of prefix vectors that keys and values already start with, L or 0.
        **kwargs: as there.
    """
    if cached_prefix:  # the prefix is already among the keys, and nothing else in this attention is changed
        is_causal = kwargs.pop("is_causal", None)
        if module.is_causal if is_causal is None else is_causal:
            attention_mask = explicit(attention_mask, query, n_keys=key.shape[2] - cached_prefix)
        mask = attended_in_front(attention_mask, cached_prefix)
        return base(module, query, key, value, mask, is_causal=False, **kwargs)
    return delta_attention(
        module,
        query,
        key,
        value,
        attention_mask,
        base=base,
        vectors=partial(vectors_of, prefixes=prefixes),
        put_in_front=in_front_padded if base is one_query and query.shape[2] > 1 else in_front,
        **kwargs,
    )


def fast_name_of(base: str) -> str:
    """The name under which an attention with deltas and optimisations is registered."""
    return f"{PREFIX}fast_{base}"


for _base, (_function, _mask) in BASES.items():
    _quick = one_query if _base == "sdpa" else _function
    AttentionInterface.register(fast_name_of(_base), partial(fast_attention, base=_quick))
    AttentionMaskInterface.register(fast_name_of(_base), _mask)
