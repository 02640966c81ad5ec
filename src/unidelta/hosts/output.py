"""A host whose output is the representation that a delta changes: a gated FFN, a whole layer."""

from typing import Any

from torch import Tensor

from unidelta.hosts.site import Host


class OutputHost(Host):
    """`h = module(x)`, changed by its deltas in order."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """`(B, T, D)` to `(B, T, D)`, or to a tuple that begins with it."""
        output = super().forward(x, *args, **kwargs)
        is_tuple = isinstance(output, tuple)
        h = output[0] if is_tuple else output
        for delta in self.deltas.values():
            h = delta(x, h)
        return (h, *output[1:]) if is_tuple else h
