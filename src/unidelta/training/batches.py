"""The batches of one process, step by step, as padded tensors."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor

from unidelta.tasks.collate import IGNORED_LABEL, Collator
from unidelta.tasks.encode import Encoded
from unidelta.training.random_batches import RandomBatches
from unidelta.training.share import Share
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
        self._features, self._share, self._collate = encoded.features, share, collate
        self._drawn: RandomBatches | TokenBatches
        self.tokens: dict[str, float] | None = None
        if spec.max_tokens is None:
            self._drawn = RandomBatches(n_examples=len(encoded), batch_size=spec.batch_size, seed=seed)
        else:
            self._drawn = TokenBatches(
                encoded.features,
                max_tokens=spec.max_tokens,
                is_static=spec.static_batches,
                seed=seed,
                is_joined=is_joined,
            )
            n = self._drawn.n_tokens
            self.tokens = {"min": min(n), "mean": sum(n) / len(n), "max": max(n)}
        self.per_epoch = len(self._drawn)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch; its last one may have fewer passes."""
        return -(-self._share.n_passes(self.per_epoch) // self._share.accumulation)

    def steps(self, first: int, end: int) -> Iterator[tuple[float, list[dict[str, Tensor]]]]:
        """For each optimiser step from `first`, counted from 0, to before `end`: epochs done after it, its batches."""
        passes: list[list[int]] = []
        for step in range(first, end):
            epoch, step_of_epoch = divmod(step, self.steps_per_epoch)
            if step_of_epoch == 0:
                torch.empty((), dtype=torch.int64).random_()  # a DataLoader would draw this; keeps recorded dropout
            if step_of_epoch == 0 or step == first:
                passes = self._share.own(self._drawn.of_epoch(epoch))
            begin = step_of_epoch * self._share.accumulation
            own = passes[begin : begin + self._share.accumulation]
            yield epoch + (begin + len(own)) / len(passes), [self._padded(batch) for batch in own]

    def _padded(self, batch: list[int]) -> dict[str, Tensor]:
        return self._collate([self._features[i] for i in batch]) if batch else self._filler

    @cached_property
    def _filler(self) -> dict[str, Tensor]:
        """The batch of a process that has nothing to do in a pass: the shortest example, no label of which counts."""
        batch = self._collate([min(self._features, key=lambda feature: len(feature["input_ids"]))])
        return {**batch, "labels": torch.full_like(batch["labels"], IGNORED_LABEL)}
