"""The output for many jobs, and the exit status."""

from pathlib import Path

import pytest

from unidelta.sweeps.follow import Result, line, table
from unidelta.sweeps.pool import Outcome


def outcome(name: str, status: int | None, note: str = "", seconds: float | None = 2.0) -> Outcome:
    return Outcome(name=name, status=status, note=note, seconds=seconds, log=Path(f"logs/{name}.log"))


BUSY = outcome("d", 75, "This run is already running")
GOOD, LATE, WILD = outcome("a", 0, "R-2 9.1"), outcome("b", None, "not done within 5 s"), outcome("c", 4, "loss is NaN")


@pytest.mark.parametrize(
    ("outcomes", "is_interrupted", "status"),
    [
        *[((), False, 0), ((GOOD,), False, 0), ((GOOD, LATE), False, 1), ((WILD,), False, 1), ((GOOD,), True, 75)],
        *[((GOOD, BUSY), False, 75), ((BUSY, WILD), False, 1)],
    ],
)
def test_the_status_is_that_of_the_worst(outcomes: tuple[Outcome, ...], is_interrupted: bool, status: int):
    assert Result(outcomes=outcomes, seconds=1.0, is_interrupted=is_interrupted).status == status


def test_the_table_counts_and_names_the_log_of_everything_that_was_not_done(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/b.log").touch()  # a launcher of Hydra's may leave none
    text = table("some", Result(outcomes=(GOOD, LATE, WILD), seconds=61.4), n_skipped=5, n_jobs=4)
    monkeypatch.setattr("sys.argv", ["unidelta sweep"])
    started = table("some", Result(outcomes=(GOOD, LATE, WILD), seconds=61.4), n_skipped=5, n_jobs=4)
    assert started == text.replace("python train.py", "unidelta train") != text
    head, counts, *rest = text.splitlines()
    assert head.split() == "done failed diverged skipped not begun or ended time".split()
    assert counts.split() == ["some", "1", "1", "1", "5", "1", "61", "s"]
    assert rest == [
        "",
        "failed: python train.py b",
        "  not done within 5 s",
        "  logs/b.log",
        "",
        "diverged: python train.py c",
        "  loss is NaN",
    ]


def test_a_line_says_how_which_job_ended_with_what_and_after_how_long():
    assert line(GOOD).split() == ["done", "a", "R-2", "9.1", "2", "s"]
    assert line(outcome("a", 1, "no", seconds=None)).split() == ["failed", "a", "no"]
