"""Prompt tuning: trained vectors in front of a model's input embeddings (Lester et al. 2021)."""

import torch
from torch import Generator, Tensor, nn


class Prompt(nn.Module):
    """l vectors `(l, D)` from N(0, 0.02²), without position embedding or embedding scale.

    Args:
        length: l.
        width: D.
        generator: the source of randomness of the initialisation.
    """

    def __init__(self, length: int, width: int, *, generator: Generator) -> None:
        super().__init__()
        self.vectors = nn.Parameter(nn.init.normal_(torch.empty(length, width), std=0.02, generator=generator))

    @property
    def length(self) -> int:
        """Number of prompt vectors l."""
        return self.vectors.shape[0]

    def prepend(self, embeddings_BTD: Tensor) -> Tensor:
        """`(B, T, D)` to `(B, l + T, D)`."""
        prompt_BlD = self.vectors.to(embeddings_BTD.dtype).expand(embeddings_BTD.shape[0], -1, -1)
        return torch.cat([prompt_BlD, embeddings_BTD], dim=1)

    def prepend_mask(self, mask_BT: Tensor | None) -> Tensor | None:
        """A 2-D padding mask with l ones prepended; None stays None."""
        if mask_BT is None:
            return None
        return torch.cat([mask_BT.new_ones(mask_BT.shape[0], self.length), mask_BT], dim=1)
