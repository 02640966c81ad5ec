"""Faults found in data: each with its place, ten of them told, all of them counted."""

from collections import Counter

from unidelta.errors import DataError, Problems

N_TOLD = 10
# A file of another task has the same fault in every row; room is kept for faults of other kinds.
N_TOLD_ALIKE = 3


class Faults:
    """Collects what is wrong with one file or split, so that everything is told at once.

    Args:
        asked: what is read, e.g. `sst2 rows from data/train.jsonl`.
        name: of the file or split, for places in it: `train.jsonl`.
    """

    def __init__(self, asked: str, name: str) -> None:
        self._asked, self._name = asked, name
        self._told: list[DataError] = []
        self._alike: Counter[tuple[str | None, str]] = Counter()
        self.total = 0

    def add(self, *, row: int, what: str, instead: str, column: str | None = None) -> None:
        """Note one fault.

        Args:
            row: line (JSONL) or row (all else), counted from 1.
            what: what is wrong there.
            instead: what should be there.
            column: the column it is in, where one is to blame.
        """
        self.total += 1
        self._alike[column, what] += 1
        if len(self._told) < N_TOLD and self._alike[column, what] <= N_TOLD_ALIKE:
            place = f"{self._name}:{row}: " + (f"{column}: " if column else "")
            self._told.append(DataError(self._asked, place + what, instead))

    def add_whole(self, what: str, instead: str) -> None:
        """Note a fault of the file or split as a whole."""
        self.total += 1
        self._told.append(DataError(self._asked, f"{self._name}: {what}", instead))

    def raise_if_any(self) -> None:
        """Raise every fault that was noted.

        Raises:
            Problems: something was noted; the last problem gives the total where not all are told.
        """
        n_told = len(self._told)
        if self.total > n_told:
            why = f"{self._name}: {self.total:,} problems in all, {n_told} of them told above."
            self._told.append(DataError(self._asked, why, "corrected data, or another source"))
        if self._told:
            raise Problems(self._told)
