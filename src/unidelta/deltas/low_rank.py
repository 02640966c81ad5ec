"""The low-rank update of LoRA. Shapes: D_in features read, R rank, D_out features changed."""

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import FormModule
from unidelta.deltas.init import init_projections
from unidelta.deltas.linear_algebra import largest_triples
from unidelta.deltas.maps import Maps
from unidelta.design.axes import Init


class LowRankUpdate(FormModule):
    """`Δh = Drop(z) W_down W_up` (Eq. 6 without its scale, which belongs to the composition); a subclass has the maps.

    The maps are stored as torch stores them, which is transposed: M = W_up W_down.

    Args:
        dropout: probability of dropping an input feature.
    """

    is_linear = True

    def __init__(self, *, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def maps(self) -> tuple[Tensor, Tensor]:
        """W_down `(R, D_in)` and W_up `(D_out, R)`."""
        raise NotImplementedError

    def forward(self, z: Tensor) -> Tensor:
        """Δh, `(..., D_out)` from `(..., D_in)`."""
        down, up = self.maps()
        return F.linear(F.linear(F.dropout(z, self.dropout, self.training), down), up)

    def matrix(self) -> Tensor:
        """M, `(D_out, D_in)`."""
        down, up = self.maps()
        return up @ down


class LowRank(LowRankUpdate):
    """LoRA: the maps are parameters.

    Args:
        d_read: D_in.
        d_changed: D_out.
        rank: R.
        init: start of the projections.
        dropout: probability of dropping an input feature.
        generator: the source of randomness of the initialisation.
    """

    def __init__(
        self, d_read: int, d_changed: int, rank: int, *, init: Init, dropout: float, generator: Generator
    ) -> None:
        super().__init__(dropout=dropout)
        self.down = nn.Parameter(torch.empty(rank, d_read))
        self.up = nn.Parameter(torch.empty(d_changed, rank))
        init_projections(self.down, self.up, init, generator)

    def maps(self) -> tuple[Tensor, Tensor]:
        """The parameters."""
        return self.down, self.up

    def inner(self, z: Tensor) -> Tensor:
        """The activations of the bottleneck, `(..., R)`."""
        return F.linear(F.dropout(z, self.dropout, self.training), self.down)


class GeneratedLowRank(LowRankUpdate):
    """The maps are made from fewer parameters.

    Args:
        generated: what makes them.
        dropout: probability of dropping an input feature.
    """

    def __init__(self, generated: Maps, *, dropout: float) -> None:
        super().__init__(dropout=dropout)
        self.generated = generated

    def maps(self) -> tuple[Tensor, Tensor]:
        """What the generator makes."""
        return self.generated()


class Pissa(FormModule):
    """PiSSA (Meng et al. 2024, Eq. 2–4): LoRA from the R largest singular triples of W, which are subtracted from W.

    `W_down = √(S/s) Vᵀ`, `W_up = U √(S/s)`. With the frozen residual `W − s W_up⁰ W_down⁰` in place of W, the map is
    `x W + s (x W_down W_up − x W_down⁰ W_up⁰)`: W itself keeps its values, and Δh = 0 at the start.

    Args:
        weight: W, `(D_out, D_in)`.
        rank: R.
        factor: s.
        dropout: probability of dropping an input feature.
    """

    is_linear = True

    def __init__(self, weight: Tensor, rank: int, *, factor: float, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        w = weight.detach().to(torch.get_default_device(), torch.promote_types(weight.dtype, torch.float32))
        u, s, vt = largest_triples(w, rank)
        root = (s / factor).sqrt()
        self.down, self.up = nn.Parameter(root[:, None] * vt), nn.Parameter(u * root)
        self.start_down: Tensor
        self.start_up: Tensor
        self.register_buffer("start_down", self.down.detach().clone())
        self.register_buffer("start_up", self.up.detach().clone())

    def forward(self, z: Tensor) -> Tensor:
        """Δh, `(..., D_out)` from `(..., D_in)`; exactly 0 at the start, as the two products are then the same."""
        z = F.dropout(z, self.dropout, self.training)
        start = F.linear(F.linear(z, self.start_down), self.start_up)
        return F.linear(F.linear(z, self.down), self.up) - start

    def matrix(self) -> Tensor:
        """`W_up W_down − W_up⁰ W_down⁰`, `(D_out, D_in)`; exactly 0 at the start."""
        return self.up @ self.down - self.start_up @ self.start_down
