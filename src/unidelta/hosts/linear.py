"""A linear map as a host: of LoRA on its output, or of IA³ on its input."""

from torch import Tensor

from unidelta.design.axes import Representation
from unidelta.design.site import INNER
from unidelta.hosts.site import Host


class LinearHost(Host):
    """`h = W x + b`, changed by a delta that reads x or h (Eq. 6); x may first be changed by its own delta."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out)`."""
        if INNER in self.deltas:
            input = self.deltas[INNER](input, input)
        h = super().forward(input)
        if Representation.LINEAR in self.deltas:
            h = self.deltas[Representation.LINEAR](input, h)
        return h
