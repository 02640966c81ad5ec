"""A linear map as a host: of LoRA on its output, of IA³ on its input, of DoRA on its weight."""

from torch import Tensor
from torch.nn import functional as F

from unidelta.deltas.delta import WeightDelta
from unidelta.design.axes import Representation
from unidelta.design.site import INNER
from unidelta.hosts.site import Host


class LinearHost(Host):
    """`h = W x + b`, changed by a delta of h (Eq. 6) or of W; x may first be changed by its own delta."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out)`."""
        if INNER in self.deltas:
            input = self.deltas[INNER](input, input)
        if Representation.LINEAR not in self.deltas:
            return super().forward(input)
        delta = self.deltas[Representation.LINEAR]
        if isinstance(delta, WeightDelta):
            return F.linear(input, delta(self.weight), self.bias)
        return delta(input, super().forward(input))
