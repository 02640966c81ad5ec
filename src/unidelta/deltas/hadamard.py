"""LoHa's maps. Shapes: R rank, D_in features read, D_out features changed."""

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.maps import Maps


class HadamardMaps(Maps):
    """W_down `(R², D_in)` and W_up `(D_out, R²)` whose product is `(B₁ A₁) ⊙ (B₂ A₂)` (Hyeon-Woo et al. 2022, Prop. 1).

    Row (p, q) of W_down is `A₁[p] ⊙ A₂[q]`, column (p, q) of W_up `B₁[:, p] ⊙ B₂[:, q]`. As in LyCORIS: A₁ and A₂ from
    N(0, 1), B₁ from N(0, 0.1²), B₂ = 0.

    Args:
        rank: R.
        widths: D_in and D_out.
        generator: the source of randomness.
    """

    def __init__(self, rank: int, widths: tuple[int, int], *, generator: Generator) -> None:
        super().__init__()
        d_in, d_out = widths
        self.down_1 = nn.Parameter(nn.init.normal_(torch.empty(rank, d_in), std=1.0, generator=generator))
        self.up_1 = nn.Parameter(nn.init.normal_(torch.empty(d_out, rank), std=0.1, generator=generator))
        self.down_2 = nn.Parameter(nn.init.normal_(torch.empty(rank, d_in), std=1.0, generator=generator))
        self.up_2 = nn.Parameter(torch.zeros(d_out, rank))

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        down = (self.down_1[:, None] * self.down_2[None]).flatten(0, 1)
        return down, (self.up_1[:, :, None] * self.up_2[:, None]).flatten(1)
