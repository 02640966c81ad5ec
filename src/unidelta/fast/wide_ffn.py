"""Concatenate a parallel adapter with its FFN, for evaluation: r more rows of W_1, r more columns of W_2.

Identity: with z = x [W_1 | W_down] + [b_1 | b_down], the FFN and its adapter are together
[act(z_ffn) | ReLU(z_r)] [W_2; s W_up] + b_2 + s b_up.
Gain: two products instead of four per token. The FFN's weights take twice the memory meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.delta import Delta
from unidelta.design.axes import Representation, Source
from unidelta.hosts.inline_ffn import InlineFfnLayer


class WideActivation(nn.Module):
    """The FFN's activation on the FFN's units, ReLU on the adapter's units.

    Args:
        activation: of the FFN.
        n_units: number of the FFN's units; the adapter's come after them.
    """

    def __init__(self, activation: nn.Module, n_units: int) -> None:
        super().__init__()
        self._activation, self._n_units = activation, n_units

    def forward(self, z: Tensor) -> Tensor:
        """`(..., F + r)` to the same shape."""
        out = self._activation(z)  # on all units: faster than splitting and concatenating
        torch.clamp(z[..., self._n_units :], min=0, out=out[..., self._n_units :])
        return out


@contextmanager
def wide_ffns(model: nn.Module) -> Iterator[None]:
    """Within a context; no weight is changed. The model must not train meanwhile."""
    layers = [layer for layer in model.modules() if isinstance(layer, InlineFfnLayer) and _can_be_wide(layer)]
    before = [(layer.fc1, layer.activation_fn, layer.fc2, layer.deltas) for layer in layers]
    try:
        for layer in layers:
            _widen(layer)
        yield
    finally:
        for layer, (fc1, activation, fc2, deltas) in zip(layers, before, strict=True):
            layer.fc1, layer.activation_fn, layer.fc2, layer.deltas = fc1, activation, fc2, deltas


def _can_be_wide(layer: InlineFfnLayer) -> bool:
    if Representation.SUBLAYER not in layer.deltas or not type(layer.fc1) is type(layer.fc2) is nn.Linear:
        return False
    delta = layer.deltas[Representation.SUBLAYER]
    reads_input = delta.is_parallel and layer.settings.get("source") is not Source.RESIDUAL_STREAM
    is_plain = isinstance(delta.form, Bottleneck) and delta.form.norm is None and delta.compose.factor() is not None
    return reads_input and is_plain


@torch.no_grad()
def _widen(layer: InlineFfnLayer) -> None:
    delta: Delta = layer.deltas[Representation.SUBLAYER]
    form, scale = delta.form, delta.compose.factor()
    up_bias = 0 if form.up.bias is None else scale * form.up.bias
    down_bias = layer.fc1.bias.new_zeros(form.down.out_features) if form.down.bias is None else form.down.bias
    n_units = layer.fc1.out_features
    layer.fc1, layer.fc2 = (
        _linear(torch.cat([layer.fc1.weight, form.down.weight]), torch.cat([layer.fc1.bias, down_bias])),
        _linear(torch.cat([layer.fc2.weight, scale * form.up.weight], dim=1), layer.fc2.bias + up_bias),
    )
    layer.activation_fn = WideActivation(layer.activation_fn, n_units)
    layer.deltas = nn.ModuleDict({key: each for key, each in layer.deltas.items() if each is not delta})


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    linear.weight, linear.bias = nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)
    return linear
