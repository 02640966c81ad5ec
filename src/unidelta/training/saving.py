"""When a run saves itself, and where it goes on."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from unidelta.training.processes import Processes, gather
from unidelta.training.stopping import Stop

Save = Callable[[int, Callable[[Path], None]], None]
"""Given the steps done and what writes the files into a folder: keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How a run is saved, and where it goes on.

    Args:
        save: keeps a checkpoint; called by the first process only.
        start: folder of the (verified) checkpoint to go on from, None to begin.
        before: the history up to there.
        stop: whether the run was asked to stop.
    """

    save: Save
    start: Path | None
    before: tuple[Mapping[str, Any], ...] = ()
    stop: Stop = field(default_factory=Stop)


class SaveClock(TrainerCallback):
    """Has the trainer save at the end of a step if enough time went by, or if the run was asked to stop.

    After the last step of an epoch it waits for the end of the epoch, because an evaluation may come in between. After
    the last step of all it leaves saving to the end of training.

    Args:
        every_minutes: between two checkpoints; None for none on time.
        stop: whether the run was asked to stop.
        processes: this process, and of how many; all of them save at the same step.
    """

    def __init__(self, *, every_minutes: float | None, stop: Stop, processes: Processes) -> None:
        self._period = None if every_minutes is None else 60 * every_minutes
        self._stop, self._processes = stop, processes
        self._last = time.monotonic()
        self.is_stopping = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Look at the clock, unless the epoch ends with this step."""
        if not float(state.epoch or 0).is_integer():
            self._look(state, control)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Look at the clock."""
        self._look(state, control)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        """Begin the period again."""
        self._last = time.monotonic()

    def _look(self, state: TrainerState, control: TrainerControl) -> None:
        if state.global_step >= state.max_steps:
            return
        is_late = self._period is not None and time.monotonic() - self._last >= self._period
        found = gather((is_late, self._stop.signal is not None), self._processes)
        self.is_stopping = any(is_asked for _, is_asked in found)
        control.should_save = found[0][0] or self.is_stopping
