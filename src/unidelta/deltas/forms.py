"""Functional forms on vectors: the bottleneck of adapters and the low-rank map of LoRA.

Shapes: D model width, R bottleneck.
"""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.init import empty_linear, init_projections
from unidelta.design.axes import Init


class Bottleneck(nn.Module):
    """`Δh = ReLU(z W_down) W_up` (Eq. 4), with biases and dropout on the R activations as in the released code.

    Args:
        width: D.
        bottleneck: R.
        init: start of the projections; biases start at 0.
        bias: whether the projections have biases.
        dropout: probability of dropping an activation.
        norm: layer norm of what is read, or None.
        generator: the source of randomness of the initialisation.
    """

    def __init__(
        self,
        width: int,
        bottleneck: int,
        *,
        init: Init,
        bias: bool,
        dropout: float,
        norm: nn.LayerNorm | None,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.norm = norm
        self.down = empty_linear(width, bottleneck, bias=bias)
        self.up = empty_linear(bottleneck, width, bias=bias)
        self.dropout = dropout
        self._has_bias = bias
        init_projections(self.down.weight, self.up.weight, init, generator)

    def forward(self, z: Tensor, *, scale: float = 1.0) -> Tensor:
        """s·Δh, `(..., D)` from `(..., D)`; the factor is on the R activations and the bias, for R is below D."""
        if self.norm is not None:
            z = self.norm(z)
        z_R = F.dropout(F.relu(self.down(z)), self.dropout, self.training)
        if scale == 1.0:
            return self.up(z_R)
        return F.linear(z_R * scale, self.up.weight, self.up.bias * scale if self._has_bias else None)


class LowRank(nn.Module):
    """`Δh = Drop(z) W_down W_up` (Eq. 6 without its scale, which is the composition's).

    Args:
        in_features: width of what is read.
        out_features: width of what is changed.
        rank: R.
        init: start of the projections.
        dropout: probability of dropping an input feature.
        generator: the source of randomness of the initialisation.
    """

    def __init__(
        self, in_features: int, out_features: int, rank: int, *, init: Init, dropout: float, generator: Generator
    ) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, in_features))
        self.up = nn.Parameter(torch.empty(out_features, rank))
        self.dropout = dropout
        init_projections(self.down, self.up, init, generator)

    def forward(self, z: Tensor, *, scale: float = 1.0) -> Tensor:
        """s·Δh, `(..., out_features)` from `(..., in_features)`; the factor is on the R activations."""
        z_R = F.linear(F.dropout(z, self.dropout, self.training), self.down)
        return F.linear(z_R if scale == 1.0 else z_R * scale, self.up)
