"""Apply the scale s to the r activations of the bottleneck instead of the d outputs.

Identity: `s·(z_r W_up + b) = (s z_r) W_up + s b`; bit-equal if s is a power of two, such as the paper's 4 and 2.
Gain: for LoRA (r = 8, d = 256) two fewer passes over the output, forward and backward (docs/performance.md).
"""

from torch import Tensor
from torch.nn import functional as F

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.compose import Add
from unidelta.deltas.delta import Delta
from unidelta.deltas.low_rank import LowRank


class BottleneckScaledInside(Delta):
    """An adapter with a fixed scale."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """As `Delta.forward`."""
        scale, up = self.compose.scale, self.form.up
        z_R = self.form.inner(x if self.is_parallel else h) * scale
        return self.compose.add(h, F.linear(z_R, up.weight, None if up.bias is None else up.bias * scale))


class LowRankScaledInside(Delta):
    """LoRA with a fixed scale."""

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """As `Delta.forward`."""
        z_R = self.form.inner(x if self.is_parallel else h) * self.compose.scale
        return self.compose.add(h, F.linear(z_R, self.form.up))


_INSIDE = {Bottleneck: BottleneckScaledInside, LowRank: LowRankScaledInside}


def scale_inside(delta: Delta) -> None:
    """Make a delta with a fixed scale apply it inside; other deltas do not change."""
    if type(delta.form) in _INSIDE and type(delta.compose) is Add and delta.compose.scale != 1.0:
        delta.__class__ = _INSIDE[type(delta.form)]
