"""How many jobs at once: by GPUs, cores, jobs and memory, and the printed sentence."""

import os
import subprocess
import sys

import pytest

from unidelta.run.prepare import prepare
from unidelta.sweeps.machine import Machine
from unidelta.sweeps.places import job_bytes, placed
from unidelta.sweeps.pool import Pool

from ..composed import composed

GB = 10**9
MINI = prepare(composed(["method=lora", "task=sst2"]))
PAPER = prepare(composed(["method=full", "task=xsum", "scale=paper"]))
ON_CPU = prepare(composed(["method=lora", "task=sst2", "training.device=cpu"]))


def machine(*gpus: str, n_cores: int = 8, free_gb: float | None = 64) -> Machine:
    return Machine(gpus=gpus, n_cores=n_cores, free_bytes=None if free_gb is None else int(free_gb * GB))


@pytest.mark.parametrize(
    ("asked", "there", "specs", "workers", "gpus", "said"),
    [
        (Pool(), machine(), [MINI] * 20, 8, (), "8 workers on 8 cores"),
        (Pool(), machine(), [MINI] * 3, 3, (), "3 workers on 8 cores"),
        (Pool(), machine(free_gb=None, n_cores=1), [MINI] * 3, 1, (), "1 worker on 1 core"),
        (Pool(), machine("0", "1", "2", "3"), [PAPER] * 44, 4, ("0", "1", "2", "3"), "4 workers on GPU 0, 1, 2, 3"),
        (Pool(), machine("GPU-a", "MIG-b"), [PAPER] * 44, 2, ("GPU-a", "MIG-b"), "2 workers on GPU GPU-a, MIG-b"),
        (Pool(gpus=("6",)), machine("0", "1"), [PAPER] * 9, 1, ("6",), "1 worker on GPU 6"),
        (Pool(workers=6), machine("0", "1"), [PAPER] * 9, 6, ("0", "1"), "6 workers on GPU 0, 1"),
        (Pool(), machine("0", "1"), [ON_CPU] * 9, 8, (), "8 workers on 8 cores"),
        (Pool(), machine("0", "1"), [ON_CPU, MINI] * 9, 2, ("0", "1"), "2 workers on GPU 0, 1"),
    ],
)
def test_workers_and_their_gpus(asked, there, specs, workers: int, gpus: tuple[str, ...], said: str):
    pool, words = placed(asked, there, specs)
    assert (pool.workers, pool.gpus, words) == (workers, gpus, said)


def test_no_more_than_memory_holds_unless_asked():
    need = job_bytes(PAPER, on_gpu=False)
    there = machine(n_cores=44, free_gb=3.5 * need / GB)
    pool, said = placed(Pool(), there, [MINI, *[PAPER] * 43])  # the largest job decides
    assert pool.workers == 3
    assert f"a job takes about {need / GB:.1f} GB of memory, and {3.5 * need / GB:.1f} GB are free" in said
    assert said.endswith("(hydra.launcher.workers=44 starts more all the same)")
    pool, said = placed(Pool(workers=5), there, [PAPER] * 44)
    assert pool.workers == 5 and "GB are free" in said
    pool, said = placed(Pool(), machine(free_gb=0.1), [PAPER] * 2)  # one has to do the work
    assert pool.workers == 1 and "0.1 GB are free" in said


def test_the_estimate_is_arithmetic():
    n = 406_291_456  # of bart-large, tied embeddings once
    assert job_bytes(PAPER, on_gpu=True) == 3 * GB + 4 * n
    tokens = PAPER.training.max_tokens or PAPER.training.batch_size * PAPER.task.max_source_length
    assert job_bytes(PAPER, on_gpu=False) == 800_000_000 + 4 * n + 16 * n + 4 * 12 * tokens * 1024 * (24 + 36)


@pytest.mark.slow
def test_a_run_of_the_miniature_takes_about_what_is_estimated(tmp_path):
    typed = "method=lora task=sst2 training.max_steps=4 tracking=none task.max_test_examples=8 task.max_eval_examples=8"
    code = "import sys; from unidelta.cli.train import main; main()"
    command = [sys.executable, "-c", code, *typed.split(), "training.progress=false", f"results_dir={tmp_path}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)  # of this process alone: the largest child may be another test's
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    most = 1024 * usage.ru_maxrss
    assert 0.5 * most < job_bytes(MINI, on_gpu=False) < 2 * most
