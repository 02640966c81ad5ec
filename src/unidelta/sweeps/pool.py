"""Jobs on one machine, several at a time, each in its own process: a crash in one job cannot affect another.

`concurrent.futures` gives up all jobs when one process is killed, and `multiprocessing.Pool` waits for it forever.
"""

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from unidelta.errors import ConfigError, ExitStatus, Problems, UserError
from unidelta.sweeps.process import POLL_S, Ended, WorkerProcess
from unidelta.sweeps.worker import Report

_FINAL = (ExitStatus.DONE, ExitStatus.REFUSED, ExitStatus.DAMAGED, ExitStatus.DIVERGED)  # would end so again


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A job of the pool.

    Args:
        name: its name for people, in one line.
        argument: the argument of the function that runs it; must be picklable.
        log: the file for its output.
    """

    name: str
    argument: Any
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended.

    Args:
        name: the job's.
        status: exit status; None if it was killed, or died without a report.
        note: the score, or why there is none.
        seconds: wall-clock time of the last attempt; None if it was not measured.
        log: its output.
    """

    name: str
    status: int | None
    note: str
    seconds: float | None
    log: Path

    @property
    def word(self) -> str:
        """done, failed, diverged or interrupted."""
        special = (ExitStatus.DONE, ExitStatus.DIVERGED, ExitStatus.INTERRUPTED)
        return ExitStatus(self.status).name.lower() if self.status in special else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How many jobs at a time, on which GPUs, and for how long.

    Args:
        workers: processes; None: as many as `places.placed` finds room for.
        gpus: CUDA_VISIBLE_DEVICES of each worker in turn, reused in order.
        timeout_s: a job that takes longer, in seconds, is killed; None: no limit.
        retries: how often a job is restarted that failed for any reason but refusal, damage or divergence.
        reuse: one process runs many jobs, so that libraries are imported once; it is replaced after a failure.
            None: not set, and each job gets its own process.

    Raises:
        Problems: a number is out of range.
    """

    workers: int | None = None
    gpus: tuple[str, ...] = ()
    timeout_s: float | None = None
    retries: int = 0
    reuse: bool | None = None

    def __post_init__(self) -> None:
        problems: list[UserError] = []
        if self.workers is not None and self.workers < 1:
            why = "at least one process has to do the work"
            problems.append(ConfigError(f"hydra.launcher.workers={self.workers}", why, "hydra.launcher.workers=2"))
        if self.timeout_s is not None and not 0 < self.timeout_s < math.inf:
            why = "it is a number of seconds above 0"
            asked = f"hydra.launcher.timeout_s={self.timeout_s}"
            problems.append(ConfigError(asked, why, "hydra.launcher.timeout_s=3600, or null for no limit"))
        if self.retries < 0:
            why = "a job cannot be tried less than once"
            problems.append(ConfigError(f"hydra.launcher.retries={self.retries}", why, "hydra.launcher.retries=1"))
        if problems:
            raise Problems(problems)

    def work(
        self, tasks: Sequence[Task], function: Callable[[Any], Report], *, tell: Callable[[Outcome], None]
    ) -> None:
        """Run jobs. An exception, such as that of Ctrl-C, ends the jobs that are still running.

        Args:
            tasks: the jobs.
            function: runs one job, given its argument; defined in a module, so that another process can import it.
            tell: gets the outcome of every job that ends, as soon as it does.
        """

        def tell_of(ended: Ended[tuple[Task, int]]) -> None:
            (task, _), report, seconds = ended
            tell(Outcome(name=task.name, status=report.status, note=report.note, seconds=seconds, log=task.log))

        queue = deque((task, 1) for task in tasks)
        # Threads that wait for a busy core cost more than they gain.
        environment = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        processes: list[WorkerProcess[tuple[Task, int]]] = []
        for i in range(self.workers or 1):
            gpu = {"CUDA_VISIBLE_DEVICES": self.gpus[i % len(self.gpus)]} if self.gpus else {}
            processes.append(WorkerProcess(function, environment | gpu))
        try:
            while queue or any(process.work is not None for process in processes):
                for process in processes:
                    if process.work is None and queue:
                        task, attempt = queue.popleft()
                        _begin_log(task, attempt)
                        process.start((task, attempt), task.argument, log=task.log, timeout_s=self.timeout_s)
                wait([thing for process in processes for thing in process.waitables()], timeout=POLL_S)
                for process in processes:
                    ended = process.ended()
                    if ended is None:
                        continue
                    (task, attempt), report, _ = ended
                    if not (self.reuse and report.status == ExitStatus.DONE and queue):
                        process.replace()
                    if report.status not in _FINAL and attempt <= self.retries:
                        queue.append((task, attempt + 1))
                    else:
                        tell_of(ended)
        finally:
            WorkerProcess.stop(processes, tell=tell_of)


def _begin_log(task: Task, attempt: int) -> None:
    task.log.parent.mkdir(parents=True, exist_ok=True)
    again = f"\n# attempt {attempt}\n" if attempt > 1 else ""
    with task.log.open("a" if again else "w", encoding="utf-8") as file:
        file.write(f"{again}# {task.name}\n")
