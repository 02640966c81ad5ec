"""s·Δh with the factor on the r activations of the bottleneck instead of the d outputs.

Identity: `s·(z_r W_up + b) = (s z_r) W_up + s b`; the same bits where s is a power of two, as the paper's 4 and 2 are.
Gain: for LoRA (r = 8, d = 256) two passes over the output less, forward and backward (docs/performance.md).
"""

from torch import Tensor
from torch.nn import functional as F

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.compose import Add
from unidelta.deltas.delta import Delta
from unidelta.deltas.low_rank import LowRank


class BottleneckScaledInside(Delta):
    """An adapter with a fixed factor."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """As `Delta.forward`."""
        scale, up = self.compose.scale, self.form.up
        z_R = self.form.inner(x if self.parallel else h) * scale
        return self.compose.add(h, F.linear(z_R, up.weight, None if up.bias is None else up.bias * scale))


class LowRankScaledInside(Delta):
    """LoRA with a fixed factor."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """As `Delta.forward`."""
        z_R = self.form.inner(x if self.parallel else h) * self.compose.scale
        return self.compose.add(h, F.linear(z_R, self.form.up))


_INSIDE = {Bottleneck: BottleneckScaledInside, LowRank: LowRankScaledInside}


def scale_inside(delta: Delta) -> None:
    """Have a delta that scales by a fixed factor do it inside; all others stay as they are."""
    if type(delta.form) in _INSIDE and type(delta.compose) is Add and delta.compose.scale != 1.0:
        delta.__class__ = _INSIDE[type(delta.form)]


def scale_outside(delta: Delta) -> None:
    """Undo `scale_inside`."""
    if type(delta) in _INSIDE.values():
        delta.__class__ = Delta
