"""How a change Δh enters the representation h (He et al. 2022, Table 1, last column)."""

import torch
from torch import Tensor, nn


class Compose(nn.Module):
    """`h ← h + norm(s·Δh)` with a fixed s; s = 1 and no norm is plain addition.

    Args:
        scale: s.
        norm: the delta's own output layer norm, or None. It follows the scale, as in the authors' code, so
            that it undoes it up to its ε.
    """

    def __init__(self, *, scale: float = 1.0, norm: nn.LayerNorm | None = None) -> None:
        super().__init__()
        self.scale = scale
        self.norm = norm

    def forward(self, h: Tensor, delta: Tensor) -> Tensor:
        """h and Δh of one shape `(..., d)`, or shapes that broadcast."""
        if self.scale != 1.0:
            delta = delta * self.scale
        return h + (delta if self.norm is None else self.norm(delta))


class LearnedScale(Compose):
    """`h ← h + norm(s·Δh)` with one trained scalar s per delta, from 1 (the paper's "trainable s").

    Args:
        norm: the delta's own output layer norm, or None.
    """

    def __init__(self, *, norm: nn.LayerNorm | None = None) -> None:
        super().__init__(norm=norm)
        self.learned_scale = nn.Parameter(torch.ones(1))

    def forward(self, h: Tensor, delta: Tensor) -> Tensor:
        """As `Compose.forward`."""
        return super().forward(h, delta * self.learned_scale)


class Gate(Compose):
    """`h ← (1 − λ)·h + λ·Δh` (Eq. 9), λ ∈ (0, 1) per position and head.

    Inside attention the same value is reached by putting the prefix in front of the keys and values (Eq. 5);
    this is the explicit side of that identity.
    """

    def forward(self, h: Tensor, delta: Tensor, gate: Tensor | None = None) -> Tensor:
        """h and Δh `(..., E)`, gate λ `(..., 1)`.

        Raises:
            ValueError: without a gate.
        """
        if gate is None:
            raise ValueError("A gated composition needs its gate λ; attention computes it from the normalisers.")
        return (1 - gate) * h + gate * delta
