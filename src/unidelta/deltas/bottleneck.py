"""The bottleneck of adapters. Shapes: D_in features read, R bottleneck, D_out features changed."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.init import empty_linear, init_projections
from unidelta.deltas.maps import Maps
from unidelta.design.axes import Init


class Bottleneck(FormModule):
    """`Δh = ReLU(z W_down) W_up` (Eq. 4), with biases and dropout on the R activations as in the released code.

    Args:
        widths: D_in, R and D_out.
        init: start of the projections; biases start at 0.
        bias: whether the projections have biases.
        dropout: probability of dropping an activation.
        norm: layer norm of the input, or None.
        generator: the source of randomness of the initialisation.
    """

    def __init__(
        self,
        widths: tuple[int, int, int],
        *,
        init: Init,
        bias: bool,
        dropout: float,
        norm: nn.LayerNorm | None,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.norm = norm
        d_read, bottleneck, d_changed = widths
        self.down = empty_linear(d_read, bottleneck, bias=bias)
        self.up = empty_linear(bottleneck, d_changed, bias=bias)
        self.dropout = dropout
        init_projections(self.down.weight, self.up.weight, init, generator)

    def forward(self, z: Tensor) -> Tensor:
        """Δh, `(..., D_out)` from `(..., D_in)`."""
        return self.up(self.inner(z))

    def inner(self, z: Tensor) -> Tensor:
        """The activations of the bottleneck, `(..., R)`."""
        if self.norm is not None:
            z = self.norm(z)
        return F.dropout(F.relu(self.down(z)), self.dropout, self.training)


class GeneratedBottleneck(FormModule):
    """The same form with maps that a generator makes from fewer parameters.

    Args:
        generated: what makes W_down and W_up.
        widths: R and D_out.
        bias: whether the projections have biases, from 0.
        dropout: probability of dropping an activation.
        norm: layer norm of the input, or None.
    """

    def __init__(
        self, generated: Maps, *, widths: tuple[int, int], bias: bool, dropout: float, norm: nn.LayerNorm | None
    ) -> None:
        super().__init__()
        self.norm, self.generated, self.dropout = norm, generated, dropout
        self.down_bias, self.up_bias = (nn.Parameter(torch.zeros(width)) if bias else None for width in widths)

    def forward(self, z: Tensor) -> Tensor:
        """Δh, `(..., D_out)` from `(..., D_in)`."""
        down, up = self.generated()
        if self.norm is not None:
            z = self.norm(z)
        z_R = F.dropout(F.relu(F.linear(z, down, self.down_bias)), self.dropout, self.training)
        return F.linear(z_R, up, self.up_bias)
