"""OFT's and HRA's composition."""

from torch import Tensor

from unidelta.deltas.compose import ComposeWeights


class Rotated(ComposeWeights):
    """`W ← W + W M = W R` (Qiu et al. 2023, §3; Yuan et al. 2024, §3.1), M = R − 1."""

    def forward(self, weight: Tensor, matrix: Tensor) -> Tensor:
        """The changed weight, `(d_out, d_in)`."""
        return weight + weight @ matrix
