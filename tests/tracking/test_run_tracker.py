"""A tracker that fails changes nothing of a run but a note in its record."""

import signal
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from unidelta.errors import Interrupted
from unidelta.records.record import RunRecord
from unidelta.tracking import RunTracker
from unidelta.training.stopping import Stop


class Breaking:
    """A tracker that raises where it is told to."""

    def __init__(self, where: str, said: str = "broken") -> None:
        self.where, self.said = where, said
        self.state = {"mode": "loud", "note": None}
        self.logged: list[Mapping[str, float]] = []
        self.codes: list[int] = []

    def log(self, entry: Mapping[str, float]) -> None:
        self._break("log")
        self.logged.append(entry)

    def finish(
        self, record: RunRecord | None, predictions: Sequence[Mapping[str, Any]] = (), *, exit_code: int
    ) -> None:
        self._break("finish")
        self.codes.append(exit_code)

    def _break(self, where: str) -> None:
        if where == self.where:
            raise RuntimeError(self.said)


def test_a_signal_while_a_tracker_begins_or_writes_stops_the_run() -> None:
    def stopped(*_: object, **__: object) -> Any:
        Stop()._take(signal.SIGTERM, None)

    with pytest.raises(Interrupted), RunTracker("stopped", stopped):
        pass
    slow = Breaking("nowhere")
    slow.log = stopped
    with pytest.raises(Interrupted), RunTracker("stopped", lambda: slow) as tracker:
        tracker.log({"step": 1})
    assert slow.codes == [1]


def opened(tracker: Breaking) -> Breaking:
    tracker._break("open")
    return tracker


@pytest.mark.parametrize("where", ["open", "log", "finish"])
def test_a_tracker_that_raises_changes_nothing_but_a_note(
    where: str, record: RunRecord, entries, capsys: pytest.CaptureFixture[str]
):
    breaking = Breaking(where, "broken\nin two lines")
    with RunTracker("breaking", lambda: opened(breaking)) as tracker:
        for entry in entries:
            tracker.log(entry)
        written = tracker.finish(tracker.noted(record), [])
    said = "RuntimeError: broken"
    assert capsys.readouterr().err == f"Tracking with breaking is off for the rest of this run, which goes on: {said}\n"
    tracking = dict(written.provenance["tracking"])
    assert tracking.pop("mode", "loud") == "loud"
    assert tracking == {"kind": "breaking", "note": f"off after {said}"}
    assert {**written.provenance, "tracking": None} == {**record.provenance, "tracking": None}
    unchanged = [name for name in RunRecord.__slots__ if name != "provenance"]
    assert all(getattr(written, name) == getattr(record, name) for name in unchanged)
    assert breaking.codes == []  # after a fault it is left alone


@pytest.mark.parametrize(("status", "code"), [("complete", 0), ("diverged", 4), ("failed", 1)])
def test_a_run_is_ended_once_with_the_code_of_its_status(status: Any, code: int, record: RunRecord, entries):
    watching = Breaking("nowhere")
    ended = RunRecord(**{name: getattr(record, name) for name in RunRecord.__slots__} | {"status": status})
    with RunTracker("breaking", lambda: watching) as tracker:
        tracker.log(entries[0])
        written = tracker.finish(tracker.noted(ended), [])
    assert (watching.codes, watching.logged) == ([code], [entries[0]])
    assert written.provenance["tracking"] == {"kind": "breaking", "mode": "loud", "note": None}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_of_the_run_ends_its_tracking_and_goes_on(error: type[BaseException]):
    watching = Breaking("nowhere")
    with pytest.raises(error), RunTracker("breaking", lambda: watching):
        raise error
    assert watching.codes == [1]


def test_a_secret_in_an_error_is_told_to_nobody(record: RunRecord, monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("WANDB_API_KEY", "canary-key")
    breaking = Breaking("open", "401 for https://user:word@server with key canary-key")
    with RunTracker("breaking", lambda: opened(breaking)) as tracker:
        note = str(tracker.noted(record).provenance["tracking"]["note"])
    said = note + capsys.readouterr().err
    assert "canary" not in said and "word" not in said and said.count("https://***@server with key ***") == 2
