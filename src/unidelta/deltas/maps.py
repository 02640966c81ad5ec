"""What makes the W_down and W_up of a form from fewer parameters."""

from torch import Tensor, nn


class Maps(nn.Module):
    """W_down `(R, D_in)` and W_up `(D_out, R)`. A subclass needs `forward`."""

    def forward(self) -> tuple[Tensor, Tensor]:
        """The two matrices."""
        raise NotImplementedError
