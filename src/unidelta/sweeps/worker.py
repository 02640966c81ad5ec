"""A worker: a process that runs the jobs it is sent, one after another, each with its own log."""

import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from unidelta.errors import ExitStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a job ended.

    Args:
        status: exit status, an `ExitStatus` if it is one of ours; None if it was killed, or died without a report.
        note: one line: the score, or why there is none.
    """

    status: int | None
    note: str


def serve(function: Callable[[Any], Report], pipe: Connection, environment: Mapping[str, str]) -> None:
    """Run jobs until the other end of the pipe is closed.

    Args:
        function: runs one job.
        pipe: sends (argument of the function, path of the log), gets reports.
        environment: variables that are set before the first job, and so before torch is imported.
    """
    os.setsid()  # its own process group: Ctrl-C reaches only the sweep, and a job's children can be ended with it
    _end_with_parent()
    os.environ.update(environment)
    faulthandler.enable(2)  # a crash in C code leaves its trace in the log
    while True:
        try:
            argument, log = pipe.recv()
        except EOFError:
            return
        pipe.send(_do(function, argument, log))


def _end_with_parent() -> None:
    """End the worker when its sweep is killed; it would otherwise continue a job that nobody waits for."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os.killpg(0, signal.SIGKILL)  # from a thread, `sys.exit` would end only the thread

    threading.Thread(target=wait, daemon=True).start()


def _do(function: Callable[[Any], Report], argument: Any, log: str) -> Report:
    with open(log, "ab") as file:
        for stream in (1, 2):  # descriptors, not `sys.stdout`: libraries and crashes bypass it
            os.dup2(file.fileno(), stream)
    try:
        return function(argument)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else ExitStatus.DONE if stop.code is None else 1
        print(f"exit status {status}: {stop}", file=sys.stderr)
        return Report(status=status, note=f"exit status {status}" if status else "")
    except BaseException as error:  # any error concerns only this job, and the sweep continues
        traceback.print_exc()
        first = (str(error).splitlines() or [""])[0]
        return Report(status=ExitStatus.FAILED, note=f"{type(error).__name__}: {first}")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
