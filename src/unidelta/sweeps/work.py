"""Doing jobs: each in a worker process that lives for many, so that libraries are imported once."""

import contextlib
import io
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Literal

from unidelta.errors import Unfinished, UserError
from unidelta.sweeps.plan import Job
from unidelta.tasks.metrics.scored import told


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended.

    Args:
        job: the job.
        status: complete, diverged or failed.
        score: the first test metric, or why it failed.
        seconds: wall-clock time.
    """

    job: Job
    status: Literal["complete", "diverged", "failed"]
    score: str
    seconds: float


def work(planned: Sequence[Job], *, workers: int) -> Iterator[Outcome]:
    """Do jobs, as many at once as there are workers; outcomes come as they end. A failure stops nothing.

    Args:
        planned: the jobs.
        workers: processes; each computes on one thread, unless OMP_NUM_THREADS says otherwise.
    """
    # Read when torch is imported, in the workers: threads that wait for a busy core cost more than they bring.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with ProcessPoolExecutor(
        max_workers=workers, mp_context=get_context("spawn"), initializer=_end_with_parent
    ) as pool:
        futures = [pool.submit(_do, job) for job in planned]
        for future in as_completed(futures):
            yield future.result()


def _end_with_parent() -> None:
    """Let no worker outlive a sweep that was killed: it would go on with the jobs that it was given."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)  # from a thread, `sys.exit` would end the thread alone

    threading.Thread(target=wait, daemon=True).start()


def _do(job: Job) -> Outcome:
    from unidelta.config.compose import compose
    from unidelta.run import run

    begin = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            command = ["train.py", *job.overrides]
            record = run(compose([*job.overrides, "training.progress=false"]), command=command)
    except (UserError, Unfinished) as error:
        return Outcome(job=job, status="failed", score=str(error), seconds=time.perf_counter() - begin)
    except Exception as error:  # a fault of one job must not take the others with it; it is told and counted
        why = f"{type(error).__name__}: {error}"
        return Outcome(job=job, status="failed", score=why, seconds=time.perf_counter() - begin)
    seconds = time.perf_counter() - begin
    if record is None or record.status != "complete":
        reason = "" if record is None else str(record.reason)
        return Outcome(job=job, status="diverged", score=reason, seconds=seconds)
    last = [values for values in record.metrics.values() if isinstance(values, dict)][-1]
    score = ", ".join(f"{name} {value:.1f}" for name, value in told(last).items() if name != "loss")
    return Outcome(job=job, status="complete", score=score, seconds=seconds)
