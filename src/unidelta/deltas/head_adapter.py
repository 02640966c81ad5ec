"""The multi-head parallel adapter."""

from torch import Tensor
from torch.nn import functional as F

from unidelta.deltas.heads import HeadModule


class HeadAdapter(HeadModule):
    """`Δh = ReLU(q P_kᵀ) P_v`: an adapter per head with W_down = W_q P_kᵀ and W_up = P_v (§4.1)."""

    def weights(self, logits: Tensor) -> Tensor:
        """A ReLU instead of prefix tuning's softmax."""
        return F.relu(logits)
