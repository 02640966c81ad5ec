"""The same function in fewer operations, for evaluation: LoRA in the weights, scales in the up-projections.

And in beam search, the keys and values of the source stay where they are: they belong to an example, and beams are
only ever exchanged within one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache, EncoderDecoderCache

from unidelta.deltas.compose import Compose, LearnedScale
from unidelta.deltas.delta import Delta
from unidelta.deltas.forms import Bottleneck, LowRank
from unidelta.design.axes import Representation
from unidelta.families.inject import Injection
from unidelta.families.linear import DeltaLinear


@contextmanager
def merged(injection: Injection) -> Iterator[None]:
    """Merge what can be merged, and have it all back, to the bit, at the end.

    Args:
        injection: a model in float32; it must not train meanwhile. A prefix's MLP is removed by `fold`, once and for
            all.
    """
    model = injection.model
    kept: list[tuple[Tensor, Tensor]] = []
    hosts = [module for module in model.modules() if isinstance(module, DeltaLinear)]
    adapters = [module for module in model.modules() if isinstance(module, Delta) and _is_scaled_adapter(module)]
    compositions = [adapter.compose for adapter in adapters]
    try:
        with torch.no_grad():
            for host in hosts:
                _keep([host.weight, host.bias], kept)
                _merge_low_rank(host)
            for adapter in adapters:
                _keep([adapter.form.up.weight, adapter.form.up.bias], kept)
                _merge_scale(adapter)
        if model.config.is_encoder_decoder:
            model._reorder_cache = _reorder_targets
        yield
    finally:
        vars(model).pop("_reorder_cache", None)
        for host in hosts:
            host.__class__ = DeltaLinear
        for adapter, composition in zip(adapters, compositions, strict=True):
            adapter.compose = composition
        for tensor, before in kept:
            tensor.data.copy_(before)


def _keep(tensors: list[Tensor | None], kept: list[tuple[Tensor, Tensor]]) -> None:
    kept += [(tensor, tensor.detach().clone()) for tensor in tensors if tensor is not None]


def _merge_low_rank(host: DeltaLinear) -> None:
    delta = host.deltas[Representation.LINEAR]
    assert isinstance(delta.form, LowRank) and delta.compose.norm is None  # what `check` lets through
    update = _scale(delta.compose) * (delta.form.up @ delta.form.down)
    if not delta.parallel:  # h + s·up·down·h of h = Wx + b
        if host.bias is not None:
            host.bias += update @ host.bias
        update = update @ host.weight
    host.weight += update
    host.__class__ = nn.Linear


def _is_scaled_adapter(delta: Delta) -> bool:
    if not isinstance(delta.form, Bottleneck) or delta.compose.norm is not None:
        return False
    return isinstance(delta.compose, LearnedScale) or delta.compose.scale != 1.0


def _merge_scale(adapter: Delta) -> None:
    scale = _scale(adapter.compose)
    adapter.form.up.weight *= scale
    if adapter.form.up.bias is not None:
        adapter.form.up.bias *= scale
    adapter.compose = Compose()


def _scale(compose: Compose) -> Tensor | float:
    return compose.scale * compose.learned_scale if isinstance(compose, LearnedScale) else compose.scale


def _reorder_targets(cache: Cache, beam_idx: Tensor) -> Cache:
    """transformers' beam search asks a model that has a `_reorder_cache` for it."""
    (cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache).reorder_cache(beam_idx)
    return cache
