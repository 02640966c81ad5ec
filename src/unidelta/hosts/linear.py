"""A linear map as a host: of LoRA on its output, or of IA³ on its input."""

import torch
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


class FusedHost(Host):
    """Several maps of one input in one module, such as query, key and value: each with a delta of its own.

    `settings["columns"]` has the features `[begin, end)` of the output by role, in their order and without gaps.
    """

    def forward(self, input: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out of all)`."""
        h = super().forward(input)
        parts = [
            self.deltas[role](input, h[..., begin:end]) if role in self.deltas else h[..., begin:end]
            for role, (begin, end) in self.settings["columns"].items()
        ]
        return torch.cat(parts, dim=-1)
