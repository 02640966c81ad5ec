"""UniPELT's gate. Shapes: B batch, H heads, T tokens, D features read."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.compose import Sum


class InputGate(Sum):
    """`h ← h + σ(w·z + b) Δh` (Mao et al. 2022, §3), for each token; w = 0 and b = 0 at the start, so σ = ½.

    UniPELT's code takes the mean of σ over all tokens, padding and, in a decoder, the future included: its outputs
    would depend on what is yet to be generated. Here every token has its own.

    Args:
        width: D.
        is_per_head: whether h and Δh are `(B, H, T, E)` and z `(B, T, D)`.
        norm: the delta's own output layer norm, or None.
    """

    def __init__(self, width: int, *, is_per_head: bool, norm: nn.LayerNorm | None) -> None:
        super().__init__(norm)
        self.weight, self.bias = nn.Parameter(torch.zeros(1, width)), nn.Parameter(torch.zeros(1))
        self.is_per_head = is_per_head

    def forward(self, h: Tensor, delta: Tensor, z: Tensor) -> Tensor:
        """h and Δh of one shape, z `(..., D)`."""
        gate = torch.sigmoid(F.linear(z, self.weight, self.bias))
        return self.add(h, (gate.unsqueeze(1) if self.is_per_head else gate) * delta)
