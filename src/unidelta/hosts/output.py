"""A host whose output is the representation that a delta changes: a gated FFN, a whole layer."""

from typing import Any

from torch import Tensor

from unidelta.hosts.site import Host
from unidelta.hosts.tokens import SOURCE_POSITIONS, TOKENS, edit

KEPT = "kept"
"""Where a norm keeps its input until the sub-layer behind it has read it."""


class OutputHost(Host):
    """`h = module(x)`, changed by its deltas in order.

    With `settings["norm"]`, the layer norm before it, deltas read the norm's input: the residual stream.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """`(B, T, D)` to `(B, T, D)`, or to a tuple that begins with it."""
        positions_BT2 = kwargs.pop(SOURCE_POSITIONS) if TOKENS in self.settings else None
        output = super().forward(x, *args, **kwargs)
        is_tuple = isinstance(output, tuple)
        h = output[0] if is_tuple else output
        read = self.settings["norm"].settings.pop(KEPT) if "norm" in self.settings else x
        for delta in self.deltas.values():
            h = edit(self, delta, read, h, positions_BT2)
        return (h, *output[1:]) if is_tuple else h


class KeepingNorm(Host):
    """A layer norm that keeps its input for the sub-layer behind it, which runs next and takes it away."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """The stock norm."""
        self.settings[KEPT] = hidden_states
        return super().forward(hidden_states)
