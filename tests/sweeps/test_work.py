"""Workers of a sweep: a job that fails is told and stops nothing, and no worker outlives a sweep that was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from unidelta.sweeps.plan import Job
from unidelta.sweeps.work import work

SLEEPER = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unidelta.sweeps.work import _end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 120).result()
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_ends_when_its_sweep_is_killed(tmp_path: Path):
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    sweep = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert sweep.stdout is not None
    worker = int(sweep.stdout.readline())
    assert is_alive(worker)
    os.kill(sweep.pid, signal.SIGKILL)
    sweep.wait()
    sweep.stdout.close()
    deadline = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(worker)


def test_a_job_that_cannot_be_done_is_told_and_the_next_one_is_done(tmp_path: Path):
    here = f"results_dir={tmp_path}"
    impossible = Job(("method=mam", "position=nowhere", here))
    possible = Job(
        ("method=frozen", "task=sst2", "tracking=none", "task.max_test_examples=4", "task.max_eval_examples=4", here)
    )
    outcomes = {outcome.job: outcome for outcome in work([impossible, possible], workers=1, group="a-sweep")}
    assert outcomes[impossible].status == "failed"
    assert "nowhere" in outcomes[impossible].score
    assert outcomes[possible].status == "complete"
    assert outcomes[possible].score.startswith("accuracy ")
    assert len(list(tmp_path.rglob("*.json"))) == 1
