"""Prefix tuning as a change Δh of a head's output."""

from torch import Tensor

from unidelta.deltas.heads import HeadModule


class Prefix(HeadModule):
    """`Δh = softmax(q P_kᵀ) P_v` (Eq. 7)."""

    def weights(self, logits: Tensor) -> Tensor:
        """A softmax over the prefix alone."""
        return logits.softmax(-1)
