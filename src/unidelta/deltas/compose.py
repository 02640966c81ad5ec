"""How a change Δh enters the representation h (He et al. 2022, Table 1, last column)."""

import torch
from torch import Tensor, nn


class Compose(nn.Module):
    """A composition h ← compose(h, Δh, z), z what the form read.

    A subclass needs `forward(h, delta, z)`; everything else has a default.
    """

    no_decay: tuple[str, ...] = ()
    """Its parameters without weight decay, as of a form (`FormModule.no_decay`)."""

    is_gate = False
    """Whether it needs λ, which attention computes."""

    def factor(self) -> Tensor | float | None:
        """s if the composition is h ← h + s·Δh, else None; merging a linear form needs it."""
        return None


class Sum(Compose):
    """`h ← h + norm(s·Δh)`; a subclass says what s is.

    Args:
        norm: the delta's own output layer norm, or None. It follows the scale, as in the authors' code, and so
            cancels it up to its ε.
    """

    def __init__(self, norm: nn.LayerNorm | None) -> None:
        super().__init__()
        self.norm = norm

    def add(self, h: Tensor, scaled: Tensor) -> Tensor:
        """The composition, given s·Δh."""
        return h + (scaled if self.norm is None else self.norm(scaled))


class Add(Sum):
    """A fixed s; s = 1 and no norm is plain addition.

    Args:
        scale: s.
        norm: as of `Sum`.
    """

    def __init__(self, *, scale: float = 1.0, norm: nn.LayerNorm | None = None) -> None:
        super().__init__(norm)
        self.scale = scale

    def forward(self, h: Tensor, delta: Tensor, z: Tensor) -> Tensor:
        """h and Δh of one shape `(..., d)`, or shapes that broadcast."""
        return self.add(h, delta if self.scale == 1.0 else delta * self.scale)

    def factor(self) -> float | None:
        """s, unless there is a norm."""
        return self.scale if self.norm is None else None


class LearnedScale(Sum):
    """One trained scalar s per delta (the paper's "trainable s").

    Args:
        start: s at the start.
        norm: as of `Sum`.
    """

    def __init__(self, *, start: float = 1.0, norm: nn.LayerNorm | None = None) -> None:
        super().__init__(norm)
        self.learned_scale = nn.Parameter(torch.full((1,), start))

    def forward(self, h: Tensor, delta: Tensor, z: Tensor) -> Tensor:
        """h and Δh of one shape `(..., d)`, or shapes that broadcast."""
        return self.add(h, delta * self.learned_scale)

    def factor(self) -> Tensor | None:
        """s, unless there is a norm."""
        return self.learned_scale if self.norm is None else None


class Gate(Compose):
    """`h ← (1 − λ)·h + λ·Δh` (Eq. 9), λ ∈ (0, 1) per position and head.

    Inside attention, prepending the prefix to the keys and values gives the same value (Eq. 5); this class is the
    explicit side of that identity.
    """

    is_gate = True

    def forward(self, h: Tensor, delta: Tensor, z: Tensor, gate: Tensor | None = None) -> Tensor:
        """h and Δh `(..., E)`, gate λ `(..., 1)`.

        Raises:
            ValueError: without a gate.
        """
        if gate is None:
            raise ValueError("A gated composition needs its gate λ; attention computes it from the normalisers.")
        return (1 - gate) * h + gate * delta


class ComposeWeights(nn.Module):
    """A composition W ← compose(W, M), M the matrix of a linear form. A subclass needs `forward(weight, matrix)`."""

    no_decay: tuple[str, ...] = ()
    """Its parameters without weight decay, as of a form (`FormModule.no_decay`)."""
