"""Faults found in data files: each with its place, ten of them told, all of them counted."""

from collections import Counter
from pathlib import Path

from unidelta.errors import DataError, Problems

N_TOLD = 10
# A file of another task has the same fault in every row; room is kept for faults of other kinds.
N_TOLD_ALIKE = 3


class Faults:
    """Collects what is wrong with one file, so that everything is told at once.

    Args:
        file: the file that is read.
        task: name of the task whose rows it should hold.
    """

    def __init__(self, file: Path, task: str) -> None:
        self._file, self._task = file, task
        self._told: list[DataError] = []
        self._alike: Counter[tuple[str | None, str]] = Counter()
        self.total = 0

    def add(self, *, row: int, what: str, instead: str, column: str | None = None) -> None:
        """Note one fault.

        Args:
            row: line (JSONL) or row (Parquet) of the file, counted from 1.
            what: what is wrong there.
            instead: what should be there.
            column: the column it is in, where one is to blame.
        """
        self.total += 1
        self._alike[column, what] += 1
        if len(self._told) < N_TOLD and self._alike[column, what] <= N_TOLD_ALIKE:
            place = f"{self._file.name}:{row}: " + (f"{column}: " if column else "")
            self._told.append(DataError(self._asked(), place + what, instead))

    def add_file(self, what: str, instead: str) -> None:
        """Note a fault of the file as a whole."""
        self.total += 1
        self._told.append(DataError(self._asked(), f"{self._file.name}: {what}", instead))

    def raise_if_any(self) -> None:
        """Raise every fault that was noted.

        Raises:
            Problems: something was noted; the last problem gives the total where not all are told.
        """
        n_told = len(self._told)
        if self.total > n_told:
            why = f"{self._file.name}: {self.total:,} problems in all, {n_told} of them told above."
            self._told.append(DataError(self._asked(), why, "correct the file, or write it anew"))
        if self._told:
            raise Problems(self._told)

    def _asked(self) -> str:
        return f"{self._task} rows from {self._file}"
