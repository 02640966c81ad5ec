"""DoRA's composition. Shapes: D_out features changed, D_in read."""

import torch
from torch import Tensor, nn

from unidelta.deltas.compose import ComposeWeights
from unidelta.deltas.linear_algebra import row_lengths


class MagnitudeDirection(ComposeWeights):
    """`W ← m ⊙ (W + s M) / ‖W + s M‖` (Liu et al. 2024, Eq. 5), m `(D_out,)` from ‖W‖, the norm over what a row reads.

    No gradient goes through the norm (§4.3 there), which saves memory and changes little.

    Args:
        weight: W, `(D_out, D_in)`.
        scale: s.
    """

    no_decay = ("magnitude",)

    def __init__(self, weight: Tensor, *, scale: float) -> None:
        super().__init__()
        w = weight.detach().to(torch.get_default_device())
        self.magnitude = nn.Parameter(row_lengths(w).clone())
        self.scale = scale

    def forward(self, weight: Tensor, matrix: Tensor) -> Tensor:
        """The changed weight, `(D_out, D_in)`."""
        moved = weight + self.scale * matrix
        lengths = row_lengths(moved.detach()).clamp_min(torch.finfo(moved.dtype).tiny)  # a row of zeros stays one
        return (self.magnitude / lengths)[:, None] * moved
