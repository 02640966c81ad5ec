"""The rows of a file as its reader finds them: numbered, with the names of the columns."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from unidelta.errors import DataError
from unidelta.tasks.faults import Faults


@dataclass(slots=True)
class FileRows:
    """The rows of a file, unchecked.

    Args:
        columns: names of the columns, in the order of the file.
        rows: number and content of each row, including lines that are JSON but not objects.
    """

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, Any]] = field(default_factory=list)

    def add(self, number: int, row: Any) -> None:
        """Add a row of a format without a header; its keys are columns."""
        self.rows.append((number, row))
        if isinstance(row, Mapping):
            self.columns += [name for name in row if name not in self.columns]


def read_rows(file: Path, read: Callable[[BinaryIO, Faults], FileRows], faults: Faults, *, instead: str) -> FileRows:
    """What a format's reader finds in a file, which may be compressed.

    Raises:
        DataError: the file cannot be read; `instead` says what can.
    """
    try:
        with cast(BinaryIO, gzip.open(file) if file.suffix == ".gz" else file.open("rb")) as stream:
            return read(stream, faults)
    except (OSError, EOFError, zlib.error) as error:
        said = (isinstance(error, OSError) and error.strerror) or str(error).removesuffix(".")
        raise DataError(faults.asked, f"{file.name}: {said}", instead) from None
