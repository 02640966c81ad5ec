"""VeRA's maps. Shapes: R rank, D_in features read, D_out features changed."""

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.maps import Maps


class SharedMaps(nn.Module):
    """The frozen A `(R, widest D_in)` and B `(widest D_out, R)`, Kaiming-uniform from a seed of their own.

    They are buffers that no file holds: the seed gives them again.

    Args:
        rank: R.
        widths: the widest D_in and D_out.
        seed: the source of randomness, apart from the run's.
    """

    def __init__(self, rank: int, widths: tuple[int, int], *, seed: int) -> None:
        super().__init__()
        generator = Generator().manual_seed(seed)
        shapes = (rank, widths[0]), (widths[1], rank)
        a, b = (nn.init.kaiming_uniform_(torch.empty(shape), generator=generator) for shape in shapes)
        self.a: Tensor
        self.b: Tensor
        self.register_buffer("a", a, persistent=False)
        self.register_buffer("b", b, persistent=False)


class FrozenMaps(Maps):
    """`W_down = diag(d) A`, `W_up = diag(b) B` (Kopiczko et al. 2024, Eq. 2); b = 0 at the start.

    Args:
        shared: A and B.
        rank: R.
        widths: D_in and D_out of this place, which takes the first columns of A and rows of B.
        d_start: d at the start.
    """

    def __init__(self, shared: SharedMaps, rank: int, widths: tuple[int, int], *, d_start: float) -> None:
        super().__init__()
        self._shared = (shared,)  # in a tuple, so that it is registered only once, elsewhere
        self.widths = widths
        self.d = nn.Parameter(torch.full((rank,), d_start))
        self.b = nn.Parameter(torch.zeros(widths[1]))

    @property
    def shared(self) -> SharedMaps:
        """A and B."""
        return self._shared[0]

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        shared = self.shared
        return self.d[:, None] * shared.a[:, : self.widths[0]], self.b[:, None] * shared.b[: self.widths[1]]
