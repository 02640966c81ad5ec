"""HiRA's composition."""

from torch import Tensor

from unidelta.deltas.compose import ComposeWeights


class Modulated(ComposeWeights):
    """`W ← W + s W ⊙ M` (Huang et al. 2025, §3).

    Args:
        scale: s.
    """

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, weight: Tensor, matrix: Tensor) -> Tensor:
        """The changed weight, `(d_out, d_in)`."""
        return weight + self.scale * (weight * matrix)
