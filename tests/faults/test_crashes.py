"""Kills, torn files and full disks: finished work is not lost, and no run resumes from a bad state."""

import random
import shutil
import signal
from pathlib import Path

import pytest
import torch

from unidelta.errors import AlreadyRunning, IntegrityError
from unidelta.records.lock import locked

from ..forked import forked
from ..outcome import outcome
from .conftest import ROOT, do, ended, typed

FEW = pytest.param(2, id="few")
N_ENTRIES = 15
KILLED = """
import os, runpy, signal, sys
left, sys.argv = [int(sys.argv[1])], sys.argv[2:]

def counting(call):
    def one(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return one

os.fsync, os.rename = counting(os.fsync), counting(os.rename)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
LIMITED = """
import contextlib, resource, sys
from unidelta.config.compose import compose
from unidelta.run.run import run
size, *command = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
try:
    with contextlib.redirect_stdout(None):
        run(compose(command[1:]), command=command)
except Exception as error:
    why = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sys.exit(f"{type(error).__name__}\\n{why}")
"""
HOLD = """
import pathlib, signal, sys
from unidelta.records.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    pathlib.Path(sys.argv[2]).touch()
    signal.pause()
"""


def has_lines(results: Path, n: int) -> bool:
    return any(path.read_bytes().count(b"\n") >= n for path in results.glob("mini/sst2/*.history.jsonl"))


@pytest.mark.parametrize("n", [FEW, pytest.param(20, id="many", marks=pytest.mark.slow)])
def test_a_kill_at_a_random_step(n: int, whole, tally, tmp_path: Path) -> None:
    counted = tally("A1 SIGKILL at a random step")
    chance = random.Random(1)
    for i in range(n):
        results, at = tmp_path / str(i), chance.randrange(1, N_ENTRIES - 1)
        status = ended(typed(results), watch=lambda r=results, a=at: has_lines(r, a))
        assert status == -signal.SIGKILL
        do(results)
        counted.count(outcome(results) == whole, at)


@pytest.mark.parametrize("n", [FEW, pytest.param(20, id="many", marks=pytest.mark.slow)])
def test_a_kill_inside_a_save(n: int, whole, tally, tmp_path: Path) -> None:
    counted = tally("A2 SIGKILL before the k-th fsync or rename")
    chance = random.Random(2)
    for i in range(n):
        results, k = tmp_path / str(i), chance.randrange(12, 110)  # about ten a checkpoint, one a step
        assert ended(["-c", KILLED, str(k), *typed(results)]) == -signal.SIGKILL
        do(results)
        counted.count(outcome(results) == whole, k)


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder of a run killed after some steps, with two checkpoints."""
    results = tmp_path_factory.mktemp("broken")
    ended(typed(results), watch=lambda: has_lines(results, 9))
    assert len(list(results.rglob("step-*/manifest.json"))) == 2
    return results


def newest(results: Path) -> Path:
    return max(results.rglob("step-*"), key=lambda path: int(path.name.removeprefix("step-")))


def damaged(content: bytes, how: str) -> bytes | None:
    place = {"first": 0, "middle": len(content) // 2, "last": len(content) - 1}.get(how)
    if place is not None:
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    return {"missing": None, "empty": b"", "cut": content[: len(content) // 2]}[how]


@pytest.mark.parametrize("n", [FEW, pytest.param(48, id="all", marks=pytest.mark.slow)])
def test_a_damaged_resume_state(n: int, broken_off: Path, whole, tally, tmp_path: Path) -> None:
    counted = tally("A3 a file of the newest checkpoint damaged")
    cases = [
        (file.name, how)
        for file in sorted(newest(broken_off).iterdir())
        for how in ("missing", "empty", "cut", "first", "middle", "last")
    ]
    for i, (name, how) in enumerate(random.Random(3).sample(cases, min(n, len(cases)))):
        results = tmp_path / str(i)
        shutil.copytree(broken_off, results)
        path = newest(results) / name
        content = damaged(path.read_bytes(), how)
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        do(results)
        is_named = len(list(results.rglob("*.corrupt"))) == 1
        counted.count(is_named and outcome(results) == whole, f"{name} {how}")


def test_all_checkpoints_damaged(broken_off: Path, whole, tally, tmp_path: Path) -> None:
    counted = tally("A3 every checkpoint damaged")
    shutil.copytree(broken_off, tmp_path / "all")
    for manifest in (tmp_path / "all").rglob("manifest.json"):
        manifest.write_bytes(manifest.read_bytes()[:-10])
    record = do(tmp_path / "all")
    counted.count(record.cost["resumed"] == 0 and outcome(tmp_path / "all") == whole, "all")


def test_other_circumstances(broken_off: Path, tally, tmp_path: Path, monkeypatch) -> None:
    counted = tally("A3 resumed with another number of threads")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # else the miniature decides itself
    shutil.copytree(broken_off, tmp_path / "threads")

    torch.set_num_threads(2)
    try:
        with pytest.raises(IntegrityError, match=r"threads 1; this is threads 2"):
            do(tmp_path / "threads")
    finally:
        torch.set_num_threads(1)
    counted.count(len(list((tmp_path / "threads").rglob("step-*"))) == 2, "threads")


@pytest.mark.parametrize("n", [FEW, pytest.param(12, id="many", marks=pytest.mark.slow)])
def test_a_full_disk(n: int, whole, tally, tmp_path: Path) -> None:
    counted = tally("A5 files cannot grow beyond a size")
    results = tmp_path / "runs"
    do(results)
    (record,) = results.rglob("mini/sst2/*.json")
    before = record.read_bytes()
    largest = max(path.stat().st_size for path in results.rglob("*") if path.is_file())
    for i in range(n):
        size = 1 + largest * i // n
        told = forked(["-c", LIMITED, str(size), *typed(results, "force=true")], ROOT).stderr
        is_told = told.startswith(("RecordError", "Problems")) and "(errno 27)" in told
        counted.count(is_told and record.read_bytes() == before, (size, told))
    do(results, "force=true")
    counted.count(outcome(results) == whole, "afterwards")


@pytest.mark.parametrize("n", [pytest.param(8, id="few"), pytest.param(100, id="many", marks=pytest.mark.slow)])
def test_the_owner_of_a_lock_is_killed(n: int, tally, tmp_path: Path) -> None:
    dead, live = tally("B4 lock of a killed process, taken over"), tally("B4 lock of a live process, left alone")
    path, held = tmp_path / "a.lock", tmp_path / "held"

    def tried() -> bool:
        if not held.exists():
            return False
        try:
            with locked(path):
                live.count(False, "stolen")
        except AlreadyRunning:
            live.count(True, "")
        return True

    for i in range(n):
        held.unlink(missing_ok=True)
        assert ended(["-c", HOLD, path, held], watch=tried) == -signal.SIGKILL
        with locked(path):
            dead.count(True, i)
