"""A tracker whose failures do not end the run: the first one is printed in one line and turns tracking off."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from unidelta.errors import STATUS_OF_RUN, ExitStatus
from unidelta.records.record import RunRecord
from unidelta.records.redact import redact
from unidelta.tracking.spec import TrackingSpec
from unidelta.tracking.tracker import RunFacts, Tracker, Untracked


class RunTracker:
    """A tracker of any kind for one run, as a context that lasts until the run ends, however it ends.

    Args:
        kind: which one, for the record.
        open_tracker: creates it; called on entry.
    """

    def __init__(self, kind: str, open_tracker: Callable[[], Tracker]) -> None:
        self._kind, self._open = kind, open_tracker
        self._tracker: Tracker = Untracked()
        self._is_on = False
        self._note: str | None = None

    def __enter__(self) -> Self:
        try:
            self._tracker = self._open()
            self._is_on = True
        except (Exception, SystemExit) as error:  # W&B exits where its service ended badly
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(lambda: self._tracker.finish(None, exit_code=ExitStatus.FAILED))

    def log(self, entry: Mapping[str, float]) -> None:
        """One entry of the history."""
        self._do(lambda: self._tracker.log(entry))

    def finish(self, record: RunRecord, predictions: Sequence[Mapping[str, Any]]) -> RunRecord:
        """Report the end of a run that ended by itself.

        Returns:
            The record; it notes what went wrong here, if anything did.
        """
        code = STATUS_OF_RUN[record.status]
        self._do(lambda: self._tracker.finish(record, predictions, exit_code=code))
        self._is_on = False
        return self.noted(record)

    def noted(self, record: RunRecord) -> RunRecord:
        """The record with `provenance.tracking`: how the run was tracked."""
        state = {"kind": self._kind, "note": None, **self._tracker.state}
        if self._note is not None:
            state |= {"kind": self._kind, "note": self._note}
        return replace(record, provenance={**record.provenance, "tracking": state})

    def _do(self, action: Callable[[], None]) -> None:
        if not self._is_on:
            return
        try:
            action()
        except (Exception, SystemExit) as error:
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self._is_on = False
        self._note = f"off after {described(error)}"
        tell(f"Tracking with {self._kind} is off for the rest of this run, which goes on: {described(error)}")


def start_tracking(spec: TrackingSpec, facts: RunFacts) -> RunTracker:
    """The tracker that was asked for. Its library is imported when the context is entered."""

    def open_tracker() -> Tracker:
        if spec.kind == "wandb":
            from unidelta.tracking.weights_and_biases import open_wandb

            return open_wandb(spec, facts, tell=tell)
        if spec.kind == "tensorboard":
            from unidelta.tracking.event_files import EventFiles

            return EventFiles(spec, facts)
        return Untracked()

    return RunTracker(spec.kind, open_tracker)


def tell(line: str) -> None:
    """Print one line on standard error."""
    print(line, file=sys.stderr, flush=True)


def described(error: BaseException) -> str:
    """An error in one line, without secrets."""
    first = (str(error).strip().splitlines() or [""])[0]
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return redact([text], environment=os.environ)[0]
