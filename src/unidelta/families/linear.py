"""LoRA's host: one linear map."""

from torch import Tensor, nn

from unidelta.design.axes import Representation


class DeltaLinear(nn.Linear):
    """`h = xW + b`, changed by a delta that reads x or h (Eq. 6)."""

    deltas: nn.ModuleDict

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        return self.deltas[Representation.LINEAR](input, super().forward(input))
