"""Files that are written either completely or not at all."""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from unidelta.errors import RecordError

_NOT_PERMITTED = (errno.EACCES, errno.EPERM, errno.EROFS)
_GONE = (errno.ENOENT, errno.ESTALE)  # the second is of file systems on another machine


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write `content` (text as UTF-8) to `path`; after a crash or on a full disk the earlier file is unchanged.

    The content goes to a temporary file in the same folder, which is synced and then renamed: write, fsync, replace,
    fsync of the folder.

    Raises:
        RecordError: the folder or disk does not take it.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with system_errors_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, to be filled inside the context and given its name at the end; removed on an error.

    Args:
        folder: new or empty.

    Raises:
        OSError: the disk does not take it.
    """
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Write and remove a small file in `folder`, to fail before hours of training.

    Raises:
        RecordError: the folder does not take it.
    """
    probe = folder / f".writable.{uuid.uuid4().hex}"
    with system_errors_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("unidelta\n", encoding="utf-8")
        probe.unlink()


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder so that nothing reads it, and return the new name.

    Raises:
        RecordError: the folder does not take it.
    """
    aside, n = path.with_name(f"{path.name}.corrupt"), 2
    while aside.exists():
        aside, n = path.with_name(f"{path.name}.{n}.corrupt"), n + 1
    with system_errors_named(path):
        path.rename(aside)
    return aside


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def system_errors_named(path: Path) -> Iterator[None]:
    """Raise an error of the system inside the context as a `RecordError` about `path`, with its error number."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        number = _number(error)
        if number is None:
            raise
        why = f"{os.strerror(number)} (errno {number}): {path}"
        instead = "room on that disk, or another folder"
        if number in _NOT_PERMITTED:
            instead = "a folder that you may write to"
        elif number == errno.ENAMETOOLONG:
            instead = "a shorter name"
        elif number in _GONE:
            why = f"{why}; it was moved or removed, or a folder above it was, or none can be made there"
            instead = "everything back in its place and the same command again, or another folder"
        raise RecordError(f"write {path.name}", why, instead) from None


def _number(error: OSError | SafetensorError) -> int | None:
    """The number of an error of the system; safetensors has it in its text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return None if found is None else int(found[1])


@contextmanager
def another_folder(typed: str) -> Iterator[None]:
    """A context in which what cannot be written is refused with what to type for another folder: `--output DIR`."""
    try:
        yield
    except RecordError as error:
        raise RecordError(error.asked, error.why, f"{error.instead}: {typed}") from None
