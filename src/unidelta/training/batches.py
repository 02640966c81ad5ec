"""The batches of one process, step by step, as padded tensors."""

from collections.abc import Iterator

import torch
from torch import Tensor

from unidelta.tasks.collate import Collator
from unidelta.tasks.encode import Encoded
from unidelta.training.random_batches import RandomBatches
from unidelta.training.share import Share, SharedBatches, WithFiller, blanking
from unidelta.training.spec import TrainingSpec
from unidelta.training.token_batches import TokenBatches


class Batches:
    """The inputs of this process's forward passes, in order.

    Args:
        encoded: the training split.
        spec: examples or tokens per pass.
        share: this process's part of every step.
        collate: features to a padded batch.
        seed: of the order.
        is_joined: whether source and target are one sequence, which has the tokens of both.

    Attributes:
        per_epoch: forward passes of all processes together.
        tokens: min, mean and max of longest example × number of examples; None where examples are counted.

    Raises:
        ConfigError: an example has more tokens than a batch may have.
    """

    def __init__(
        self,
        encoded: Encoded,
        spec: TrainingSpec,
        share: Share,
        *,
        collate: Collator,
        seed: int,
        is_joined: bool = False,
    ) -> None:
        drawn: RandomBatches | TokenBatches
        self.tokens: dict[str, float] | None = None
        if spec.max_tokens is None:
            drawn = RandomBatches(len(encoded), batch_size=spec.batch_size, seed=seed)
        else:
            drawn = TokenBatches(
                encoded.features,
                max_tokens=spec.max_tokens,
                is_static=spec.static_batches,
                seed=seed,
                is_joined=is_joined,
            )
            n = drawn.n_tokens
            self.tokens = {"min": min(n), "mean": sum(n) / len(n), "max": max(n)}
        self.per_epoch = len(drawn)
        self._own = SharedBatches(drawn, share=share, filler=len(encoded))
        self._examples, self._collate = WithFiller(encoded.features), blanking(collate)
        self._n_passes = share.accumulation

    def __len__(self) -> int:
        """Passes of this process in an epoch."""
        return len(self._own)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch; its last one may have fewer passes."""
        return -(-len(self) // self._n_passes)

    def steps(self, first: int, end: int) -> Iterator[tuple[float, list[dict[str, Tensor]]]]:
        """For each optimiser step from `first`, counted from 0, to before `end`: epochs done after it, its batches."""
        passes: list[list[int]] = []
        for step in range(first, end):
            epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
            if step_of_epoch == 0:
                torch.empty((), dtype=torch.int64).random_()  # a DataLoader would draw this; keeps recorded dropout
            if step_of_epoch == 0 or step == first:
                self._own.set_epoch(epoch)
                passes = list(self._own)
            own = passes[step_of_epoch * self._n_passes :][: self._n_passes]
            n_done = min((step_of_epoch + 1) * self._n_passes, len(passes))
            yield epoch + n_done / len(passes), [self._collate([self._examples[i] for i in batch]) for batch in own]
