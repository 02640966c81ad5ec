"""A tiny run that can be killed at any moment, and the table that `make faults` prints: fault, tries, survived."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from unidelta.records.record import RunRecord
from unidelta.run.run import run

from ..composed import composed
from ..forked import Forked
from ..outcome import outcome

ROOT = Path(__file__).parents[2]

TYPED = (
    "method=lora task=sst2 backbone.dropout=0.1 backbone.attention_dropout=0.1 training.progress=false tracking=none "
    "training.max_steps=12 training.eval_every=4 training.save_every_minutes=0 task.max_train_examples=60 "
    "task.max_eval_examples=4 task.max_test_examples=4"
).split()


def typed(results: Path, *more: str) -> list[str]:
    """The command of the tiny run."""
    return ["train.py", *TYPED, f"results_dir={results}", *more]


def do(results: Path, *more: str) -> RunRecord:
    """The tiny run, in this process."""
    _, *words = command = typed(results, *more)
    with contextlib.redirect_stdout(None):
        record = run(composed(words), command=command)
    assert record is not None
    return record


def ended(words: Sequence[str | Path], *, watch: Callable[[], bool] = lambda: False) -> int:
    """Run a command, and kill it as soon as `watch` says so; its exit status, negative for a signal."""
    child = Forked(words, ROOT)
    while child.poll() is None:
        if watch():
            child.kill()
            break
        time.sleep(0.001)
    return child.wait().returncode


AT_ONCE = """
import pathlib, runpy, sys, time
gate, sys.argv = pathlib.Path(sys.argv[1]), sys.argv[2:]
while not gate.exists():
    time.sleep(0.001)
"""


def at_once(
    program: str,
    arguments: Sequence[Sequence[str | Path]],
    gate: Path,
    *,
    meanwhile: Callable[[], object] = lambda: time.sleep(0.01),
) -> list[int]:
    """Run a program with each of these arguments, all of them from the moment there is a file; their exit statuses."""
    running = [Forked(["-c", AT_ONCE + program, gate, *words], ROOT) for words in arguments]
    gate.touch()
    while any(child.poll() is None for child in running):
        meanwhile()
    return [child.wait().returncode for child in running]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes of the run when nothing happens to it."""
    results = tmp_path_factory.mktemp("whole")
    do(results)
    return outcome(results)


@dataclass
class Tally:
    """Counts of one fault."""

    name: str
    tries: int = 0
    survived: int = 0
    lost: list[str] = field(default_factory=list)

    def count(self, is_survived: bool, what: object) -> None:
        """One try."""
        self.tries += 1
        self.survived += is_survived
        if not is_survived:
            self.lost.append(str(what))


_TALLIES = pytest.StashKey[list[Tally]]()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Tally]]:
    """Open the count of a fault; the test fails at its end if a try was lost."""
    mine: list[Tally] = []

    def open_tally(name: str) -> Tally:
        mine.append(Tally(name))
        request.config.stash.setdefault(_TALLIES, []).append(mine[-1])
        return mine[-1]

    yield open_tally
    assert {one.name: one.lost for one in mine if one.lost} == {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table."""
    tallies = config.stash.get(_TALLIES, [])
    if tallies:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{'fault':60}{'tries':>7}{'survived':>10}")
        for one in tallies:
            terminalreporter.write_line(f"{one.name:60}{one.tries:7}{one.survived:10}")
