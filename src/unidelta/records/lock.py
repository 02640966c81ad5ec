"""One process does a run at a time: a lock that dies with its owner, on one machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unidelta.errors import AlreadyRunning
from unidelta.records.atomic import system_errors_named


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a run; the file is removed at the end, and one that a dead process left behind is taken over.

    The system keeps the lock and drops it when its owner ends, however that happens, so that a process id which is
    used again, a wrong clock or a forgotten file mean nothing.

    Args:
        path: the file to lock; it holds the owner's process id.

    Raises:
        AlreadyRunning: another process holds it.
        RecordError: the folder does not take the file.
    """
    with system_errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _taken(path)
    try:
        yield
    finally:
        path.unlink(
            missing_ok=True
        )  # while it is locked: who waits for this file then finds it gone, and makes another
        os.close(descriptor)


def _taken(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"This run is already running (pid {owner}); the same command shows its end."
            ) from None
        if _is_at(path, descriptor):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor
        os.close(descriptor)  # its owner removed it between the two calls


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
