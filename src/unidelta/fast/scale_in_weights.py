"""Fold the scale s of an adapter into its up-projection, for evaluation.

Identity: s (z_r W_up + b) = z_r (s W_up) + s b.
Gain: one operation less per token and adapter (docs/performance.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.compose import Add
from unidelta.deltas.delta import Delta


@contextmanager
def scale_in_weights(model: nn.Module) -> Iterator[None]:
    """Within a context; the weights are restored bit for bit. The model must not train meanwhile."""
    adapters = [module for module in model.modules() if isinstance(module, Delta) and _is_scaled(module)]
    before = [
        (adapter.__class__, adapter.compose, [each.detach().clone() for each in _tensors(adapter)])
        for adapter in adapters
    ]
    try:
        with torch.no_grad():
            for adapter in adapters:
                scale = adapter.compose.factor()
                for tensor in _tensors(adapter):
                    tensor *= scale
                adapter.compose, adapter.__class__ = Add(), Delta
        yield
    finally:
        for adapter, (own_class, compose, tensors) in zip(adapters, before, strict=True):
            adapter.compose, adapter.__class__ = compose, own_class
            for tensor, kept in zip(_tensors(adapter), tensors, strict=True):
                tensor.data.copy_(kept)


def _is_scaled(delta: Delta) -> bool:
    factor = delta.compose.factor()
    return isinstance(delta.form, Bottleneck) and factor is not None and (isinstance(factor, Tensor) or factor != 1.0)


def _tensors(adapter: Delta) -> list[Tensor]:
    up = adapter.form.up
    return [tensor for tensor in (up.weight, up.bias) if tensor is not None]
