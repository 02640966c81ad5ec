"""How a run's batches are divided among processes: together they process exactly the batches of one process.

The batch of an optimiser step is `batch_size` (or `max_tokens`) × `accumulation`, for any number of processes.
"""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal, Protocol

import torch
from torch import Tensor

from unidelta.errors import ConfigError
from unidelta.tasks.collate import IGNORED_LABEL, Collator
from unidelta.tasks.features import Feature, FeatureSequence
from unidelta.training.processes import Processes
from unidelta.training.spec import TrainingSpec

_FILLER = "is_filler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One process's part of every optimiser step.

    Args:
        processes: this process, and of how many.
        of: `passes` if each process does some of the step's forward passes, `examples` if it does some
            of the examples of every pass.
        accumulation: forward passes of this process per optimiser step.
    """

    processes: Processes
    of: Literal["passes", "examples"]
    accumulation: int


def share(spec: TrainingSpec, processes: Processes) -> Share:
    """Divide the forward passes of a step among the processes or, failing that, the examples of each pass.

    Raises:
        ConfigError: neither can be divided evenly. A pass defined by a number of tokens is never divided.
    """
    n = processes.n
    if spec.accumulation % n == 0:
        return Share(processes=processes, of="passes", accumulation=spec.accumulation // n)
    if spec.max_tokens is None and spec.batch_size % n == 0:
        return Share(processes=processes, of="examples", accumulation=spec.accumulation)
    asked = f"{n} processes with training.accumulation={spec.accumulation}"
    why = f"{n} processes cannot have equal parts of {spec.accumulation} forward passes"
    divisible = [spec.accumulation]
    if spec.max_tokens is None:
        asked += f" and training.batch_size={spec.batch_size}"
        why += f", nor of the {spec.batch_size} examples of a pass"
        divisible.append(spec.batch_size)
    fewer = max(k for k in range(1, n) if any(number % k == 0 for number in divisible))
    instead = f"torchrun --nproc_per_node {fewer}, or another batch: training.accumulation={n}"
    raise ConfigError(asked, f"{why}; the batch stays what it is with one process.", instead)


class BatchOrder(Sized, Protocol):
    """All batches of a run, as positions of examples; redrawn for each epoch."""

    def __iter__(self) -> Iterator[list[int]]: ...

    def set_epoch(self, epoch: int) -> None:
        """Use the order of this epoch, counted from 0."""
        ...


class SharedBatches:
    """The part of all batches that one process processes.

    Every process has the same number of passes. If it has nothing to do in a pass it gets the filler, whose labels
    are ignored. With a single process these are all the batches.

    Args:
        batches: all batches, the same on every process.
        share: this process's part.
        filler: position of the filler.
    """

    def __init__(self, batches: BatchOrder, *, share: Share, filler: int) -> None:
        self._batches, self._share, self._filler = batches, share, filler

    def set_epoch(self, epoch: int) -> None:
        """Use the order of this epoch, counted from 0."""
        self._batches.set_epoch(epoch)

    def __len__(self) -> int:
        n_batches, n = len(self._batches), self._share.processes.n
        return -(-n_batches // n) if self._share.of == "passes" else n_batches

    def __iter__(self) -> Iterator[list[int]]:
        rank, n = self._share.processes.rank, self._share.processes.n
        if self._share.of == "examples":
            yield from (batch[rank::n] or [self._filler] for batch in self._batches)
            return
        yield from islice(iter(self._batches), rank, None, n)
        if rank >= (len(self._batches) % n or n):
            yield [self._filler]


class WithFiller(FeatureSequence):
    """The features, followed by the filler: a copy of the shortest one, marked for `blanking`.

    Nothing else is copied: `features` may create each feature on demand.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = features

    @cached_property  # needed for the filler only, which a single process never uses
    def _shortest(self) -> int:
        return min(range(len(self._features)), key=lambda i: len(self._features[i]["input_ids"]))

    def __len__(self) -> int:
        return len(self._features) + 1

    def row(self, i: int) -> Feature:
        """The feature at a position, or the filler."""
        return {**self._features[self._shortest], _FILLER: True} if i == len(self._features) else self._features[i]


def blanking(collate: Collator) -> Collator:
    """A collator that ignores every label of the filler."""

    def collate_or_blank(features: Sequence[Feature]) -> dict[str, Tensor]:
        batch = collate(features)
        if _FILLER in features[0]:
            batch["labels"] = torch.full_like(batch["labels"], IGNORED_LABEL)
        return batch

    return collate_or_blank
