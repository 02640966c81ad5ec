"""The low-rank update of LoRA. Shapes: D_in features read, R rank, D_out features changed."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.init import init_projections
from unidelta.design.axes import Init


class LowRank(FormModule):
    """`Δh = Drop(z) W_down W_up` (Eq. 6 without its scale, which belongs to the composition).

    Args:
        d_read: D_in.
        d_changed: D_out.
        rank: R.
        init: start of the projections.
        dropout: probability of dropping an input feature.
        generator: the source of randomness of the initialisation.
    """

    is_linear = True

    def __init__(
        self, d_read: int, d_changed: int, rank: int, *, init: Init, dropout: float, generator: Generator
    ) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, d_read))
        self.up = nn.Parameter(torch.empty(d_changed, rank))
        self.dropout = dropout
        init_projections(self.down, self.up, init, generator)

    def forward(self, z: Tensor) -> Tensor:
        """Δh, `(..., D_out)` from `(..., D_in)`."""
        return F.linear(self.inner(z), self.up)

    def inner(self, z: Tensor) -> Tensor:
        """The activations of the bottleneck, `(..., R)`."""
        return F.linear(F.dropout(z, self.dropout, self.training), self.down)

    def matrix(self) -> Tensor:
        """W_down W_up, `(D_out, D_in)`."""
        return self.up @ self.down
