"""Output to a pipe that may close early, as in `python report.py table3 | head`, or to a terminal that closes."""

import errno
import io
import os
import sys
from typing import Any, TextIO

_READER_LEFT = (errno.EPIPE, errno.EIO)  # a closed pipe; a closed terminal


def drop_unread_output() -> None:
    """From now on, drop output to a closed pipe instead of ending the command with a `BrokenPipeError`.

    Records and files are written as before. Captured streams are not changed.
    """
    if sys.stdout is not None and sys.stdout is sys.__stdout__:
        sys.stdout = _reopened(sys.stdout)
    if sys.stderr is not None and sys.stderr is sys.__stderr__:
        sys.stderr = _reopened(sys.stderr)


class _Descriptor(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _READER_LEFT:
                raise
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())  # for libraries that write past Python's streams as well
        os.close(null)
        return memoryview(data).nbytes


def _reopened(stream: TextIO) -> TextIO:
    assert isinstance(stream, io.TextIOWrapper)
    stream.flush()
    raw = _Descriptor(stream.fileno(), "wb", closefd=False)
    is_unbuffered = isinstance(stream.buffer, io.RawIOBase)  # python -u
    return io.TextIOWrapper(
        raw if is_unbuffered else io.BufferedWriter(raw),  # type: ignore[arg-type]
        encoding=stream.encoding,
        errors="replace" if stream.errors == "strict" else stream.errors,  # of a terminal that has no ★
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
