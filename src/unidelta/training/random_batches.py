"""Batches of a fixed number of examples, in a new random order every epoch."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomBatches:
    """Batches of `batch_size` examples; the last one of an epoch may be smaller.

    The order of epoch e is a permutation drawn from seed + e, as in transformers' Trainer with one process.

    Args:
        n_examples: how many there are.
        batch_size: examples per batch.
        seed: of the orders.
    """

    n_examples: int
    batch_size: int
    seed: int

    def __len__(self) -> int:
        return -(-self.n_examples // self.batch_size)

    def of_epoch(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch, counted from 0, as positions of examples."""
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(self.n_examples, generator=generator).tolist()
        return [order[begin : begin + self.batch_size] for begin in range(0, len(order), self.batch_size)]
