"""The diagonal of IA³ and SSF. Shapes: D features."""

import torch
from torch import Generator, Tensor, nn

from unidelta.deltas.form_module import FormModule
from unidelta.design.axes import Init


class Diagonal(FormModule):
    """`Δh = (ℓ − 1) ⊙ h + b`: IA³'s `ℓ ⊙ h` (Liu et al. 2022, §3.3), SSF's `ℓ ⊙ h + b` (Lian et al. 2022, §3.2).

    Args:
        width: D.
        init: ℓ = 1 and b = 0; or, as in SSF's code, ℓ from N(1, 0.02²) and b from N(0, 0.02²).
        bias: whether there is b.
        generator: the source of randomness of the initialisation.
    """

    is_linear = True
    no_decay = ("factors", "shift")

    def __init__(self, width: int, *, init: Init, bias: bool, generator: Generator) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width)) if bias else None
        if init is Init.BERT:
            nn.init.normal_(self.factors, mean=1.0, std=0.02, generator=generator)
            if self.shift is not None:
                nn.init.normal_(self.shift, std=0.02, generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        """Δh, `(..., D)`."""
        change = h * (self.factors - 1)
        return change if self.shift is None else change + self.shift

    def matrix(self) -> Tensor:
        """The diagonal ℓ − 1, `(D,)`."""
        return self.factors - 1

    def vector(self) -> Tensor | None:
        """b."""
        return self.shift
