"""A slot of the pool: at most one worker process at a time, its job, and how to end them."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

from unidelta.errors import ExitStatus
from unidelta.sweeps.worker import Report, serve

GRACE_S = 30.0  # between SIGTERM and SIGKILL: time to save a checkpoint
POLL_S = 1.0  # a death that closes no pipe, because a child holds it open, is noticed within this time
_LEAVE_S = 2.0  # for an idle worker to exit by itself; its last job is already reported and written
_SPAWN = get_context("spawn")  # a forked process cannot use CUDA, and inherits locks that are never released

Work = TypeVar("Work")
Ended = tuple[Work, Report, float]
"""A job that has ended, its report, and the seconds that it took."""


class WorkerProcess(Generic[Work]):
    """A slot of the pool.

    Args:
        function: runs one job, in the worker.
        environment: variables of the worker.
    """

    def __init__(self, function: Callable[[Any], Report], environment: Mapping[str, str]) -> None:
        self.work: Work | None = None
        self._function, self._environment = function, environment
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._begin = 0.0
        self._timeout_s: float | None = None
        self._deadline: float | None = None
        self._is_late = False

    def start(self, work: Work, argument: Any, *, log: Path, timeout_s: float | None) -> None:
        """Start a job.

        Args:
            work: the job, returned by `ended`.
            argument: of the function.
            log: file for the job's output.
            timeout_s: in seconds; None: no limit.
        """
        if self._process is None or self._process.exitcode is not None:
            self._spawn()
        self.work, self._begin, self._timeout_s = work, time.monotonic(), timeout_s
        self._deadline, self._is_late = None if timeout_s is None else self._begin + timeout_s, False
        assert self._pipe is not None
        with contextlib.suppress(BrokenPipeError):  # it died at its start: `ended` will report it
            self._pipe.send((argument, str(log)))

    def waitables(self) -> Iterator[Any]:
        """The objects that become ready when the job ends, for `multiprocessing.connection.wait`."""
        if self.work is not None and self._process is not None:
            yield self._pipe
            yield self._process.sentinel

    def ended(self) -> Ended[Work] | None:
        """The job if it has ended; None while it runs, or if there is no job.

        A job past its time limit is asked to end, and killed if it has not ended within `GRACE_S`.
        """
        if self.work is None:
            return None
        report = self._report()
        if report is None:
            return None
        if self._is_late and report.status not in (None, ExitStatus.DONE):  # it ended because it was asked to
            report = replace(report, note=f"{self._lateness()}; {report.note}")
        work, self.work = self.work, None
        return work, report, time.monotonic() - self._begin

    def replace(self) -> None:
        """End the worker; the next job gets a new one."""
        if self._process is None or self._pipe is None:
            return
        self._pipe.close()
        self._process.join(_LEAVE_S)
        self._signal(signal.SIGKILL)  # including the job's remaining children
        self._process.join()
        self._process = self._pipe = None

    @staticmethod
    def stop(processes: "Sequence[WorkerProcess[Work]]", *, tell: Callable[[Ended[Work]], None]) -> None:
        """End all workers: busy ones are asked first, and killed after `GRACE_S` or another Ctrl-C.

        Args:
            processes: all of them.
            tell: gets every job that still reports how it ended.
        """
        try:
            for process in processes:
                if process.work is not None:
                    process._signal(signal.SIGTERM)
            end = time.monotonic() + GRACE_S
            while time.monotonic() < end and any(process.work is not None for process in processes):
                wait([thing for process in processes for thing in process.waitables()], timeout=POLL_S)
                for process in processes:
                    ended = process.ended()
                    if ended is not None and ended[1].status is not None:
                        with contextlib.suppress(OSError):  # nobody may read any more; the others still save
                            tell(ended)
        finally:
            for process in processes:
                if process.work is not None:
                    process._signal(signal.SIGKILL)
                process.replace()

    def _spawn(self) -> None:
        self.replace()
        self._pipe, theirs = _SPAWN.Pipe()
        arguments = (self._function, theirs, self._environment)
        # Not a daemon, because a daemon cannot have children, such as the workers of a data loader.
        self._process = _SPAWN.Process(target=serve, args=arguments)
        self._process.start()
        theirs.close()

    def _report(self) -> Report | None:
        assert self._process is not None and self._pipe is not None
        try:
            if self._pipe.poll():
                return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(1.0)
            self._signal(signal.SIGKILL)
            self._process.join()
        if self._process.exitcode is not None:
            return Report(status=None, note=self._cause_of_death(self._process.exitcode))
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._signal(signal.SIGKILL if self._is_late else signal.SIGTERM)
            self._is_late, self._deadline = True, time.monotonic() + GRACE_S
        return None

    def _cause_of_death(self, status: int) -> str:
        if self._is_late:
            return self._lateness()
        if status >= 0:
            return f"the process ended with status {status} in mid-job"
        name = signal.Signals(-status).name
        return f"killed by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")

    def _lateness(self) -> str:
        return f"not done within {self._timeout_s:g} s"

    def _signal(self, which: signal.Signals) -> None:
        """Send a signal to the worker and all its jobs' children."""
        process = self._process
        if process is None or process.pid is None:
            return
        try:
            os.killpg(process.pid, which)
        except (ProcessLookupError, PermissionError):  # it has no process group yet, or nothing is left
            if process.exitcode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, which)
