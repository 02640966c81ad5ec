"""Batches of a fixed number of examples, in a new random order every epoch."""

from collections.abc import Iterator

import torch


class RandomBatches:
    """Batches of `batch_size` examples; the last one of an epoch may be smaller.

    The order of epoch e is a permutation drawn from seed + e, as in transformers' Trainer with one process.

    Args:
        n_examples: how many there are.
        batch_size: examples per batch.
        seed: of the orders.
    """

    def __init__(self, n_examples: int, *, batch_size: int, seed: int) -> None:
        self._n_examples, self._batch_size, self._seed = n_examples, batch_size, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Use the order of this epoch, counted from 0."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._n_examples // self._batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        order = torch.randperm(self._n_examples, generator=generator).tolist()
        for begin in range(0, len(order), self._batch_size):
            yield order[begin : begin + self._batch_size]
