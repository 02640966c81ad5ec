"""MiSS's maps. Shapes: R rank, D_in features read, D_out features changed."""

import torch
from torch import Tensor, nn

from unidelta.deltas.maps import Maps


class TiledMaps(Maps):
    """`W_down = [1_R 1_R …]` `(R, D_in)`, the last identity cut off where D_in ends; W_up a parameter, from 0.

    Args:
        rank: R.
        widths: D_in and D_out.
    """

    def __init__(self, rank: int, widths: tuple[int, int]) -> None:
        super().__init__()
        self.up = nn.Parameter(torch.zeros(widths[1], rank))
        self.down: Tensor
        tiled = torch.eye(rank).repeat(1, -(-widths[0] // rank))[:, : widths[0]]
        self.register_buffer("down", tiled, persistent=False)

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        return self.down, self.up
