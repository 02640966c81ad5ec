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
from unidelta.tracking.tracker import RunFacts, Tracker


class RunTracker:
    """A tracker of any kind for one run, as a context that lasts until the run ends, however it ends.

    Args:
        kind: which one, for the record.
        open_tracker: creates it, called on entry; None tracks nowhere.
    """

    def __init__(self, kind: str, open_tracker: Callable[[], Tracker | None]) -> None:
        self._kind, self._open = kind, open_tracker
        self._tracker: Tracker | None = None
        self._state: dict[str, str | None] = {"kind": kind, "note": None}

    def __enter__(self) -> Self:
        try:
            self._tracker = self._open()
            if self._tracker is not None:
                self._state |= self._tracker.state
        except (Exception, SystemExit) as error:  # W&B exits where its service ended badly
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(lambda tracker: tracker.finish(None, exit_code=ExitStatus.FAILED))

    def log(self, entry: Mapping[str, float]) -> None:
        """One entry of the history."""
        self._do(lambda tracker: tracker.log(entry))

    def finish(self, record: RunRecord, predictions: Sequence[Mapping[str, Any]]) -> RunRecord:
        """Report the end of a run that ended by itself.

        Returns:
            The record; it notes what went wrong here, if anything did.
        """
        code = STATUS_OF_RUN[record.status]
        self._do(lambda tracker: tracker.finish(record, predictions, exit_code=code))
        self._tracker = None
        return self.noted(record)

    def noted(self, record: RunRecord) -> RunRecord:
        """The record with `provenance.tracking`: how the run was tracked."""
        return replace(record, provenance={**record.provenance, "tracking": dict(self._state)})

    def _do(self, action: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            action(self._tracker)
        except (Exception, SystemExit) as error:
            self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        self._tracker = None
        self._state["note"] = f"off after {described(error)}"
        tell(f"Tracking with {self._kind} is off for the rest of this run, which goes on: {described(error)}")


def start_tracking(spec: TrackingSpec, facts: RunFacts) -> RunTracker:
    """The tracker that was asked for. Its library is imported when the context is entered."""

    def open_tracker() -> Tracker | None:
        if spec.kind == "wandb":
            from unidelta.tracking.weights_and_biases import open_wandb

            return open_wandb(spec, facts, tell=tell)
        if spec.kind == "tensorboard":
            from unidelta.tracking.event_files import EventFiles

            return EventFiles(spec, facts)
        return None

    return RunTracker(spec.kind, open_tracker)


def tell(line: str) -> None:
    """Print one line on standard error."""
    print(line, file=sys.stderr, flush=True)


def described(error: BaseException) -> str:
    """An error in one line, without secrets."""
    first = (str(error).strip().splitlines() or [""])[0]
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return redact([text], environment=os.environ)[0]
