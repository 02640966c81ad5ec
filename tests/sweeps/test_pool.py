"""The pool: a job that dies in any way is reported, does not affect others, and leaves nothing running."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from unidelta.errors import Problems
from unidelta.sweeps.pool import Pool

WELL = [f"well {i}" for i in range(8)]


def finish(program: "subprocess.Popen[str]") -> tuple[int, dict[str, list]]:
    out, err = program.communicate(timeout=120)
    return program.returncode, json.loads(out.splitlines()[-1]) if out else pytest.fail(err)


@pytest.mark.parametrize(
    ("reuse", "ill"),
    [
        pytest.param(
            False,
            {
                "raise": (1, "ZeroDivisionError: division by zero", "Traceback"),
                "exit": (3, "exit status 3", ""),
                "kill": (None, "killed by SIGKILL, perhaps for want of memory", ""),
                "hang": (None, "not done within 10 s", ""),
            },
            marks=pytest.mark.slow,
        ),
        (
            True,
            {
                "_exit": (None, "the process ended with status 139 in mid-job", ""),
                "crash": (None, "killed by SIGSEGV", "Segmentation fault"),
                "eat": (1, "MemoryError: ", "MemoryError"),
                "exit": (3, "exit status 3", ""),
            },
        ),
    ],
)
def test_four_of_twelve_jobs_die_and_eight_are_done(start, reuse: bool, ill: dict[str, tuple]):
    names = [name for pair in zip(ill, WELL, strict=False) for name in pair] + WELL[4:]
    status, found = finish(start(names, workers=2, timeout_s=10, reuse=reuse))
    assert status == 1
    assert set(found) == set(names)
    assert {name for name, (word, *_) in found.items() if word == "done"} == set(WELL)
    for name, (wanted, note, said) in ill.items():
        word, status, why, _, log = found[name]
        assert (word, status, why) == ("failed", wanted, note)
        assert log.startswith(f"# {name}\nbelow Python: {name}\n") and said in log
    workers = {found[name][2] for name in WELL}
    assert len(workers) < len(WELL) if reuse else len(workers) == len(WELL)


@pytest.mark.slow
def test_what_a_late_job_has_started_ends_with_it(start, is_alive, wait_for):
    status, found = finish(start(["hang with a child"], timeout_s=2))
    assert (status, found["hang with a child"][0]) == (1, "failed")
    child = int(found["hang with a child"][4].split()[-1])
    wait_for(lambda: not is_alive(child))


def test_a_failure_is_tried_again_unless_it_would_be_the_same(start, tmp_path: Path):
    status, found = finish(start(["fail once", "refuse", "raise"], retries=1, workers=1))
    assert status == 1
    assert {name: (word, log.count("below Python")) for name, (word, *_, log) in found.items()} == {
        "fail once": ("done", 2),
        "refuse": ("failed", 1),
        "raise": ("failed", 2),
    }
    assert "# attempt 2" in found["fail once"][4]


def test_gpus_go_round(start):
    _, found = finish(start(["a", "b", "c"], workers=3, gpus=["4", "7"]))
    assert sorted(note.split()[1] for _, _, note, _, _ in found.values()) in (["4", "4", "7"], ["4", "7", "7"])


def test_a_worker_ends_when_its_sweep_is_killed(start, is_alive, wait_for, tmp_path: Path):
    program = start(["hang with a child"])
    log = tmp_path / "logs" / "0.log"
    wait_for(lambda: log.exists() and re.search(r"child \d+\n", log.read_text()))
    child = int(log.read_text().split()[-1])
    worker = int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])
    assert is_alive(worker)
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    wait_for(lambda: not is_alive(worker) and not is_alive(child))


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_sweep_that_is_stopped_lets_its_jobs_save_and_says_75(start, which, wait_for, tmp_path: Path):
    program = start(["save when asked", "hang", "never begun"], workers=2)
    logs = [tmp_path / "logs" / f"{i}.log" for i in range(2)]
    wait_for(lambda: logs[0].exists() and "ready" in logs[0].read_text())
    wait_for(lambda: logs[1].exists() and "below Python" in logs[1].read_text())
    program.send_signal(which)
    status, found = finish(program)  # what is killed before it saves has not ended: it says nothing of itself
    assert (status, list(found)) == (75, ["save when asked"])
    assert found["save when asked"][:3] == ["interrupted", 75, "exit status 75"]
    assert not (tmp_path / "logs" / "2.log").exists()


def test_a_sweep_that_is_stopped_lets_all_its_jobs_save_though_nobody_reads_any_more(start, wait_for, tmp_path: Path):
    program = start(["save when asked", "save slowly"], workers=2)
    logs = [tmp_path / "logs" / f"{i}.log" for i in range(2)]
    wait_for(lambda: all(log.exists() and "ready" in log.read_text() for log in logs))
    program.stdout.close()
    program.send_signal(signal.SIGHUP)
    program.wait(timeout=60)
    assert (tmp_path / "saved").exists()


def test_options_out_of_range_are_told_together():
    with pytest.raises(Problems) as refusal:
        Pool(workers=0, timeout_s=float("nan"), retries=-1)
    keys = [error.asked.split("=")[0] for error in refusal.value.errors]
    assert keys == [f"hydra.launcher.{name}" for name in ("workers", "timeout_s", "retries")]
