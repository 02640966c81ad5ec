"""LoKr's maps. Shapes: R rank; D_in = C_in·A_in features read, D_out = C_out·B_out features changed."""

import math

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.maps import Maps


class KroneckerMaps(Maps):
    """W_down `(C_in·R, D_in)` and W_up `(D_out, C_in·R)` whose product is `C ⊗ (B A)` (Edalati et al. 2022, §3).

    `W_down = 1 ⊗ A` and `W_up = C ⊗ B`. As in peft: C = 0, A and B Kaiming-uniform (LyCORIS starts at B = 0).

    Args:
        rank: R.
        widths: (C_in, A_in) and (C_out, B_out).
        generator: the source of randomness.
    """

    def __init__(self, rank: int, widths: tuple[tuple[int, int], tuple[int, int]], *, generator: Generator) -> None:
        super().__init__()
        (c_in, a_in), (c_out, b_out) = widths
        self.outer = nn.Parameter(torch.zeros(c_out, c_in))
        self.down = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, a_in), a=math.sqrt(5), generator=generator))
        self.up = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(b_out, rank), a=math.sqrt(5), generator=generator))

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        identity = torch.eye(self.outer.shape[1], dtype=self.outer.dtype, device=self.outer.device)
        return torch.kron(identity, self.down), torch.kron(self.outer, self.up)
