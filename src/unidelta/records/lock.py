"""A lock that lets one process at a time work on a run, and that the system releases when its owner ends.

On a file system shared by several machines, it is only as reliable as that system's `flock`. The file therefore names
its owner's process and host, so that a person can check.
"""

import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unidelta.errors import AlreadyRunning
from unidelta.records.atomic import system_errors_named


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a run; the file is removed at the end, and the file of a dead process is taken over.

    The system holds the lock and releases it when its owner ends in any way, so a reused process id, a wrong clock or a
    leftover file do no harm.

    Args:
        path: the file to lock; it holds the owner's process id and host.

    Raises:
        AlreadyRunning: another process holds it.
        RecordError: the file cannot be written.
    """
    with system_errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _taken(path)
    try:
        yield
    finally:
        # while it is locked: a process that waits for this file then finds it removed, and creates a new one
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, host = _owner(descriptor)
            os.close(descriptor)
            raise AlreadyRunning(_refusal(path, pid, host)) from None
        if _is_at(path, descriptor):
            pid, host = _owner(descriptor)
            if host not in ("", socket.gethostname()):
                said = f"Note: {path} was left behind by process {pid} on {host}, which no longer holds it."
                why = "If that process still runs, this file system keeps locks to one machine:"
                print(f"{said} {why} stop one of the two.", file=sys.stderr)
            os.truncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())
            return descriptor
        os.close(descriptor)  # its owner removed it between the two calls


def _owner(descriptor: int) -> tuple[str, str]:
    """The process id and host in the file, if present."""
    pid, _, host = os.read(descriptor, 300).decode(errors="replace").strip().partition(" ")
    return pid or "unknown", host if pid.isdecimal() else ""


def _refusal(path: Path, pid: str, host: str) -> str:
    if host in ("", socket.gethostname()):
        return f"This run is already running (pid {pid}); the same command, typed later, shows its result."
    # The server of a shared file system may keep the lock of a machine that went down.
    return (
        f"This run is already running (pid {pid} on {host}); the same command, typed later, shows its result. "
        f"If {host} is down, or has no such process: rm {path}"
    )


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
