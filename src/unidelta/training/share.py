"""What each of several processes does of a run's batches: together, exactly what one process would do alone.

The batch of an optimiser step is `batch_size` (or `max_tokens`) × `accumulation`, however many processes there are.
"""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.utils.data import Sampler

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
            examples of every pass.
        accumulation: forward passes of this process per optimiser step.
    """

    processes: Processes
    of: Literal["passes", "examples"]
    accumulation: int


def share(spec: TrainingSpec, processes: Processes) -> Share:
    """Divide the forward passes of a step among the processes, or else the examples of each pass.

    Raises:
        ConfigError: neither can be divided evenly. A pass filled up to a number of tokens is never divided.
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


class Batches(Sized, Protocol):
    """The batches of one process alone, as positions of examples; drawn anew for each epoch."""

    def __iter__(self) -> Iterator[list[int]]: ...

    def set_epoch(self, epoch: int) -> None:
        """Draw for this epoch, counted from 0, from now on."""
        ...


class SharedBatches(Sampler[list[int]]):
    """The part of `Batches` that one process does.

    Every process has the same number of passes; one that has nothing to do in a pass gets the filler, whose labels
    count nothing. Of one process alone these are all the batches.

    Args:
        batch_sampler: all batches, the same on every process (transformers looks for this name when a new epoch
            begins).
        share: this process's part.
        filler: position of the filler.
    """

    def __init__(self, batch_sampler: Batches, *, share: Share, filler: int) -> None:
        self.batch_sampler = batch_sampler
        self._share, self._filler = share, filler

    def set_epoch(self, epoch: int) -> None:
        """Pass the epoch on; asked for when a resumed run skips batches."""
        self.batch_sampler.set_epoch(epoch)

    def __len__(self) -> int:
        n_batches, n = len(self.batch_sampler), self._share.processes.n
        return -(-n_batches // n) if self._share.of == "passes" else n_batches

    def __iter__(self) -> Iterator[list[int]]:
        rank, n = self._share.processes.rank, self._share.processes.n
        if self._share.of == "examples":
            yield from (batch[rank::n] or [self._filler] for batch in self.batch_sampler)
            return
        yield from islice(iter(self.batch_sampler), rank, None, n)
        if rank >= (len(self.batch_sampler) % n or n):
            yield [self._filler]


class WithFiller(FeatureSequence):
    """Features and, at the end, the filler: a copy of the shortest, marked for `blanking`.

    Nothing else is copied: `features` may make each feature when it is asked for.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = features

    @cached_property  # read for a filler only, of which one process alone has none
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
