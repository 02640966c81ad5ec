"""The diagonal of IA³. Shapes: D features."""

import torch
from torch import Tensor, nn

from unidelta.deltas.form_module import FormModule


class Diagonal(FormModule):
    """`Δh = (ℓ − 1) ⊙ h` (Liu et al. 2022, §3.3: `ℓ ⊙ h`), ℓ initially 1.

    Args:
        width: D.
    """

    is_linear = True

    def __init__(self, width: int) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.ones(width))

    def forward(self, h: Tensor) -> Tensor:
        """Δh, `(..., D)`."""
        return h * (self.factors - 1)

    def matrix(self) -> Tensor:
        """The diagonal ℓ − 1, `(D,)`."""
        return self.factors - 1
