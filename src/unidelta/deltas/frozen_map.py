"""A frozen linear map of the backbone, as a form or a composition that needs one sees it."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenMap:
    """A linear map `x W + b`, all of a module or some of its output features; no parameter of the delta.

    Args:
        module: the module, with `weight` and `bias`.
        weight_of: its weight as `(features of the module, d_in)`.
        features: `[begin, end)` of this map.
    """

    module: nn.Module
    weight_of: Callable[[nn.Module], Tensor]
    features: tuple[int, int]

    def weight(self) -> Tensor:
        """W, `(d_out, d_in)`."""
        return self.weight_of(self.module)[slice(*self.features)]

    def __call__(self, x: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out)`, without the module's own deltas."""
        bias = self.module.bias
        own = bias[slice(*self.features)] if isinstance(bias, Tensor) else None
        return F.linear(x, self.weight(), own)
