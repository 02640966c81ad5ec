"""The history of a run, one JSON object per line, written to the disk during the run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unidelta.records.atomic import set_aside, system_errors_named, write_atomically
from unidelta.records.strict_json import canonical, parse, without_non_finite


class HistoryLog:
    """Appends entries to a file; each is written before the next step begins.

    Floats read back as they were; NaN and infinities are null.

    Args:
        path: the file. An earlier attempt's file is replaced; if it is damaged, it is set aside with a message.
        before: the lines up to the beginning of this attempt, as written by `HistoryLog`.

    Attributes:
        path: the file.

    Raises:
        RecordError: the disk or folder does not take it.
    """

    def __init__(self, path: Path, *, before: str = "") -> None:
        self.path = path
        if path.exists() and not _is_whole(path.read_bytes()):
            print(f"{path} is damaged; set aside as {set_aside(path).name}")
        write_atomically(path, before)
        self._stream = path.open("ab", buffering=0)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write one entry.

        Raises:
            RecordError: the disk does not take it.
        """
        with system_errors_named(self.path):
            self._stream.write(f"{canonical(without_non_finite(entry)[0])}\n".encode())

    def close(self) -> None:
        """Wait until everything is on the disk; a second call does nothing.

        Raises:
            RecordError: the disk does not take it.
        """
        if self._stream.closed:
            return
        with system_errors_named(self.path), self._stream:
            os.fsync(self._stream.fileno())


def read_history(text: str) -> list[dict[str, Any]]:
    """The entries of a history, in order.

    Raises:
        ValueError: a line is not a JSON object.
    """
    entries = [parse(line) for line in text.splitlines()]
    if not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("a line is not an object")
    return entries


def _is_whole(content: bytes) -> bool:
    try:
        read_history(content.decode())
    except ValueError:
        return False
    return not content or content.endswith(b"\n")
