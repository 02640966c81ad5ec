"""When a run saves checkpoints, and where it resumes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unidelta.training.processes import Processes, gather
from unidelta.training.snapshot import generators
from unidelta.training.state import TrainState
from unidelta.training.stopping import Stop

Save = Callable[[int, Callable[[Path], None]], None]
"""Saves a checkpoint, given the steps done and a function that writes its files into a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How a run is saved, and where it resumes.

    Args:
        save: saves a checkpoint; called by the first process only.
        start: folder of the (verified) checkpoint to resume from, None to start from the beginning.
        before: the history up to that checkpoint.
        stop: whether the run was asked to stop.
    """

    save: Save
    start: Path | None
    before: tuple[Mapping[str, Any], ...] = ()
    stop: Stop = field(default_factory=Stop)


class Saver:
    """Saves checkpoints of a state: at intervals, when the run was asked to stop, and at its end.

    Args:
        state: what is saved.
        continuation: how it is saved, and where the run resumes; None saves nothing.
        every_minutes: time between two checkpoints; None for no checkpoints at intervals.
        processes: this process, and of how many; all of them save at the same step.
    """

    def __init__(
        self,
        state: TrainState,
        continuation: Continuation | None,
        *,
        every_minutes: float | None,
        processes: Processes,
    ) -> None:
        self._state, self._continuation, self._processes = state, continuation, processes
        self._period = None if every_minutes is None else 60 * every_minutes
        self._last = time.monotonic()

    @property
    def wishes(self) -> tuple[bool, bool]:
        """Whether it is time for a checkpoint, and whether this process was asked to stop."""
        if self._continuation is None:
            return False, False
        is_late = self._period is not None and time.monotonic() - self._last >= self._period
        return is_late, self._continuation.stop.signal is not None

    def resume(self) -> None:
        """Load the checkpoint that the run resumes from, if there is one."""
        if self._continuation is not None and self._continuation.start is not None:
            self._state.read(self._continuation.start, rank=self._processes.rank)

    def save(self) -> None:
        """Save a checkpoint in the first process, unless the state has diverged."""
        if self._continuation is None or not self._state.is_healthy:
            return  # a parameter that is not finite shows in the next step
        everyone = gather(generators(on_gpu=self._state.on_gpu), self._processes)
        if self._processes.is_first:
            self._continuation.save(self._state.step, lambda folder: self._state.write(folder, everyone))
        gather(None, self._processes)  # a process that exits now would bring down the first one
        self._last = time.monotonic()

    def finish(self) -> None:
        """Save the end of training, so that a run killed during scoring does not train again."""
        if not self._state.is_finished:
            self._state.is_finished = True
            self.save()

    def stop(self) -> None:
        """End the run here.

        Raises:
            Interrupted: always.
        """
        assert self._continuation is not None
        stop = self._continuation.stop
        stop.signal = stop.signal or "SIGTERM"  # another process was asked
        stop.raise_if_asked(f"after step {self._state.step}")
