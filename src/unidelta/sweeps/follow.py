"""Progress of many jobs: one line as each ends, a table at the end, and the log of each failure."""

import os
import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from unidelta.console.program import as_started
from unidelta.errors import ExitStatus
from unidelta.sweeps.pool import Outcome, Pool, Task
from unidelta.sweeps.worker import Report
from unidelta.training.stopping import stopping_signals

_COLUMNS = ("done", "failed", "diverged", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How many jobs ended.

    Args:
        outcomes: of the jobs that ended.
        seconds: wall-clock time of all together.
        is_interrupted: whether they were stopped before all had ended.
    """

    outcomes: tuple[Outcome, ...]
    seconds: float
    is_interrupted: bool = False

    @property
    def status(self) -> ExitStatus:
        """The exit status of the sweep."""
        if self.is_interrupted:
            return ExitStatus.INTERRUPTED
        unfinished = {outcome.status for outcome in self.outcomes} - {ExitStatus.DONE}
        if unfinished == {ExitStatus.INTERRUPTED}:  # by a time limit, or running elsewhere
            return ExitStatus.INTERRUPTED
        return ExitStatus.FAILED if unfinished else ExitStatus.DONE


def follow(pool: Pool, tasks: Sequence[Task], function: Callable[[Any], Report]) -> Result:
    """Run jobs and print a line for every one that ends, until all have, or Ctrl-C, SIGTERM or SIGHUP stops them.

    Args:
        pool: where they run.
        tasks: the jobs.
        function: runs one, as in `Pool.work`.
    """
    begin, n_jobs, is_interrupted = time.monotonic(), len(tasks), False
    ended: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        ended.append(outcome)
        print(f"{len(ended):{len(str(n_jobs))}}/{n_jobs}  {line(outcome)}", flush=True)

    with _stopped_kindly():
        try:
            pool.work(tasks, function, tell=tell)
        except KeyboardInterrupt:
            is_interrupted = True
    return Result(outcomes=tuple(ended), seconds=time.monotonic() - begin, is_interrupted=is_interrupted)


def line(outcome: Outcome) -> str:
    """One job that has ended."""
    seconds = "" if outcome.seconds is None else f"  {outcome.seconds:.0f} s"
    return f"{outcome.word:8}  {outcome.name}  {outcome.note}{seconds}"


def table(title: str, result: Result, *, n_skipped: int = 0, n_jobs: int) -> str:
    """How many jobs ended in which way and how long it took, then every job that was not done, with its log."""
    counts = {word: sum(outcome.word == word for outcome in result.outcomes) for word in _COLUMNS}
    counts |= {"skipped": n_skipped, "not begun or ended": n_jobs - len(result.outcomes)}
    shown = {word: n for word, n in counts.items() if n or word in ("done", "failed", "skipped")}
    heads = [*shown, "time"]
    cells = [*map(str, shown.values()), f"{result.seconds:.0f} s"]
    widths = [max(len(head), len(cell)) for head, cell in zip(heads, cells, strict=True)]
    rows = [(" " * len(title), heads), (title, cells)]
    lines = [
        "  ".join([first, *(cell.rjust(width) for cell, width in zip(row, widths, strict=True))]) for first, row in rows
    ]
    for outcome in result.outcomes:
        if outcome.status != ExitStatus.DONE:
            lines += ["", f"{outcome.word}: python train.py {outcome.name}", f"  {outcome.note}"]
            lines += [f"  {outcome.log}"] if outcome.log.exists() else []
    return as_started("\n".join(lines))


@contextmanager
def _stopped_kindly() -> Generator[None, None, None]:
    """Treat the signals of a batch system, `kill` or a closing terminal like Ctrl-C, which prints what it does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):  # the terminal may be what is gone
            os.write(2, b"\nstopping: running jobs have half a minute to save their state; once more ends them now\n")
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in stopping_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
