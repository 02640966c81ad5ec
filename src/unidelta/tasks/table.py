"""What a reader returns for a file: numbered rows, and the names of the columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Table:
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
