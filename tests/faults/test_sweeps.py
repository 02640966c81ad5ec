"""Jobs of a sweep that die in every way a process can: the healthy ones complete, the dead ones are reported."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from unidelta.errors import ExitStatus
from unidelta.records.store import RecordStore
from unidelta.sweeps import job
from unidelta.sweeps.pool import Outcome, Pool, Task
from unidelta.sweeps.worker import Report

from .conftest import TYPED

ILL = {
    "raise": lambda: 1 / 0,
    "exit": lambda: sys.exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(600),
}
WHY = {
    "raise": "ZeroDivisionError: division by zero",
    "exit": "exit status 3",
    "kill": "killed by SIGKILL, perhaps for want of memory",
    "hang": "not done within 100 s",
}


def do(how: tuple[str, list[str]]) -> Report:
    """A job that is ill, or the tiny run."""
    illness, overrides = how
    ILL.get(illness, lambda: None)()
    return job.do(job.Work(overrides=tuple(overrides), folders=()))


@pytest.mark.slow
@pytest.mark.parametrize("reuse", [False, True], ids=["a process each", "processes reused"])
def test_four_of_twelve_jobs_die(reuse: bool, tally, tmp_path: Path) -> None:
    healthy, ill = tally("A7 healthy jobs beside four that die"), tally("A7 jobs that die, told with their log")
    names = ["1", "raise", "2", "exit", "3", "kill", "4", "hang", "5", "6", "7", "8"]
    arguments = [(name, [*TYPED, f"seed={i}", f"results_dir={tmp_path}"]) for i, name in enumerate(names, 1)]
    logs = [tmp_path / "logs" / f"{name}.log" for name in names]
    tasks = [Task(name=name, argument=how, log=log) for name, how, log in zip(names, arguments, logs, strict=True)]
    ended: list[Outcome] = []
    Pool(workers=2, timeout_s=100, reuse=reuse).work(tasks, do, tell=ended.append)
    outcomes = {one.name: one for one in ended}
    complete = {record.coordinates["seed"] for record in RecordStore(root=tmp_path).read_all().records}
    for i, name in enumerate(names, 1):
        one = outcomes[name]
        if name in ILL:
            is_told = (one.word, one.note, one.log.is_file()) == ("failed", WHY[name], True)
            ill.count(is_told and i not in complete, one)
        else:
            healthy.count(one.status == ExitStatus.DONE and i in complete, one)
