"""Faults found in data: each with its position; ten are listed, all are counted."""

from collections import Counter
from typing import Any

from unidelta.errors import DataError, Problems

N_LISTED = 10
# A file of a different task has the same fault in every row; this leaves room for other kinds of fault.
N_LISTED_ALIKE = 3
_N_SHOWN_CHARACTERS = 40


def shown(thing: Any) -> str:
    """What a row holds, as a fault shows it."""
    text = repr(thing)
    return text if len(text) <= _N_SHOWN_CHARACTERS else text[:_N_SHOWN_CHARACTERS] + "…"


class Faults:
    """Collects the faults of one file or split, so that all are reported at once.

    Args:
        asked: what is read, e.g. `sst2 rows from data/train.jsonl`.
        name: of the file or split, to locate a fault: `train.jsonl`.
    """

    def __init__(self, asked: str, name: str) -> None:
        self.asked, self._name = asked, name
        self._listed: list[DataError] = []
        self._alike: Counter[tuple[str | None, str]] = Counter()
        self.total = 0

    def add(self, *, row: int, what: str, instead: str, column: str | None = None) -> None:
        """Note one fault.

        Args:
            row: line (JSONL, CSV, TSV) or row (other formats), counted from 1.
            what: what is wrong.
            instead: what should be there.
            column: the column at fault, if there is one.
        """
        self.total += 1
        self._alike[column, what] += 1
        if len(self._listed) < N_LISTED and self._alike[column, what] <= N_LISTED_ALIKE:
            place = f"{self._name}:{row}: " + (f"{column}: " if column else "")
            self._listed.append(DataError(self.asked, place + what, instead))

    def add_whole(self, what: str, instead: str) -> None:
        """Note a fault of the file or split as a whole."""
        self.total += 1
        self._listed.append(DataError(self.asked, f"{self._name}: {what}", instead))

    def raise_if_any(self) -> None:
        """Raise every fault that was noted.

        Raises:
            Problems: something was noted; if not all faults are listed, the last problem gives the total.
        """
        n_listed = len(self._listed)
        if self.total > n_listed:
            why = f"{self._name}: {self.total:,} problems in all, {n_listed} of them listed above"
            self._listed.append(DataError(self.asked, why, "corrected data, or another source"))
        if self._listed:
            raise Problems(self._listed)
