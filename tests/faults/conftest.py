"""A tiny run that can be killed at any moment, and the table that `make faults` prints: fault, tries, survived."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from unidelta.config.compose import compose
from unidelta.errors import ExitStatus, Unfinished, UserError, status_of
from unidelta.records.record import RunRecord
from unidelta.run.run import run

from ..outcome import outcome

TYPED = (
    "method=lora task=sst2 backbone.dropout=0.1 backbone.attention_dropout=0.1 training.progress=false tracking=none "
    "training.max_steps=12 training.eval_every=4 training.save_every_minutes=0 task.max_train_examples=60 "
    "task.max_eval_examples=4 task.max_test_examples=4"
).split()


def do(results: Path, *more: str) -> RunRecord:
    """The tiny run, in this process."""
    with contextlib.redirect_stdout(None):
        record = run(compose([*TYPED, f"results_dir={results}", *more]), command=["train.py", *TYPED])
    assert record is not None
    return record


def in_a_child(action: Callable[[], object], *, watch: Callable[[], bool] = lambda: False) -> int:
    """Do something in a copy of this process, killed as soon as `watch` says so; its status, negative for a signal."""
    child = _start(action)
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if watch():
            os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.001)
    return os.waitstatus_to_exitcode(ended[1])


def at_once(
    actions: Sequence[Callable[[], object]], *, meanwhile: Callable[[], object] = lambda: time.sleep(0.01)
) -> list[int]:
    """Do all of them in copies of this process that begin together; their statuses."""
    gate, opener = os.pipe()

    def after_the_gate(action: Callable[[], object]) -> None:
        os.close(opener)
        os.read(gate, 1)  # until the last opener is closed
        action()

    running = {_start(lambda a=action: after_the_gate(a)): i for i, action in enumerate(actions)}
    os.close(opener)
    os.close(gate)
    statuses = [0] * len(actions)
    while running:
        meanwhile()
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            statuses[running.pop(pid)] = os.waitstatus_to_exitcode(status)
    return statuses


def _start(action: Callable[[], object]) -> int:
    """A copy of this process that does something, and ends with the status that a command would end with."""
    child = os.fork()
    if child:
        return child
    try:
        action()
    except (UserError, Unfinished) as error:
        os._exit(status_of(error))
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        os._exit(ExitStatus.FAILED)
    os._exit(ExitStatus.DONE)


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
