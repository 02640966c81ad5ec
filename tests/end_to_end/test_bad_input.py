"""A user's mistake fails within seconds with what was asked, why it cannot be and what to type; nothing is written."""

import shlex
from pathlib import Path

import pytest

from unidelta.config.overrides import check
from unidelta.errors import ExitStatus, UserError, status_of
from unidelta.run.run import run

from ..composed import composed
from ..forked import forked

ROOT = Path(__file__).parents[2]

# what is typed after `python train.py`, and what the answer has to say
# one of each step that may refuse; tests/config has all that a configuration is refused for
CASES = {
    "plan that is not there": ("plan=nowhere/plan.json", ["plan=nowhere/plan.json", "there is no such file"]),
    "unknown method": ("method=nope", ["there is no method `nope`", "method=adapter or"]),
    "wrong type": ("training.max_steps=many", ["could not be converted to Integer"]),
    "sequential prefix": ("method=prefix insertion=sequential", ["it reads the query", "insertion=parallel"]),
    "classifier for text": ("task=sst2 backbone=bart", ["sst2 classifies"]),
    "file for a folder": (
        "task.source=local task.path=conf/config.yaml",
        ["it is a file, and each split has one", "task.path=conf, the folder with the splits"],
    ),
    "missing folder": ("task.source=local task.path=nowhere", ["there is no such folder", "task.path=DIR"]),
    "missing checkpoint": ("backbone.checkpoint=./nowhere", ["there is no such folder"]),
    "unreachable hub": ("scale=paper", ["HF_HUB_OFFLINE", "task.source=local", "backbone.checkpoint=DIR"]),
}


def refusal(typed: str, results: Path) -> str:
    """What `python train.py` says of a mistake, which ends it before a backbone is loaded and anything is written."""
    words = [*shlex.split(typed), f"results_dir={results}"]
    with pytest.raises(UserError) as refused:
        check(words)
        run(composed(words), command=["train.py", *words])
    assert status_of(refused.value) == ExitStatus.REFUSED
    assert not list(results.parent.rglob("*.json"))
    return str(refused.value)


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_in_three_lines(case: str, tmp_path: Path):
    typed, said = CASES[case]
    told = refusal(typed, tmp_path / "runs")
    for line in ("You asked:", "Why not:", "Instead:", *said):
        assert line in told


@pytest.mark.parametrize("case", ["unknown method", "missing checkpoint"])
def test_the_command_says_just_that(case: str, tmp_path: Path):
    typed, _ = CASES[case]
    done = forked(["train.py", *typed.split(), f"results_dir={tmp_path / 'runs'}"], ROOT)
    assert (done.returncode, done.stdout) == (ExitStatus.REFUSED, "")
    assert done.stderr == f"{refusal(typed, tmp_path / 'runs')}\n"
    assert not list(tmp_path.rglob("*.json"))


def test_several_mistakes_are_told_together(tmp_path: Path):
    typed = "task.source=local task.path=nowhere training.batch_size=0 budget=percent budget.percent=99"
    told = refusal(typed, tmp_path / "runs")
    for said in ("Problem 3 of 3", "there is no such folder", "finite number, 1 or more", "the slot can hold at most"):
        assert said in told


def test_a_broken_row_is_told_with_file_and_line(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train.jsonl").write_text('{"sentence": "fine", "label": 1, "idx": 0}\n{"sentence": "fine"\n')
    (folder / "validation.jsonl").write_text('{"sentence": "fine", "label": 7, "idx": 0}\n{"label": 1}\n')
    told = refusal(f"task=sst2 task.source=local task.path={folder}", tmp_path / "runs")
    for said in ("train.jsonl:2", "validation.jsonl:1", "validation.jsonl:2", "sentence"):
        assert said in told
