"""The columns of a task by role, and their values in a row.

A column has the name it has in the data; a dot leads into nested columns (`translation.en`). A table that cannot
nest may have the dot in a column's name, and gives the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ABSENT = object()
"""Stands for the value of a column that a row does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of columns by role; None for roles that the task does not have.

    Args:
        source: the text to summarize or translate.
        target: its summary or translation.
        text: the text to classify, or the first of a pair.
        text_pair: the second text of a pair.
        label: the label.
    """

    source: str | None = None
    target: str | None = None
    text: str | None = None
    text_pair: str | None = None
    label: str | None = None


def value(row: Mapping[str, Any], column: str) -> Any:
    """The value of a column in a row, `ABSENT` if the row does not have it."""
    if column in row:
        return row[column]
    found: Any = row
    for key in column.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return ABSENT
        found = found[key]
    return found


def nested(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """A row of exactly these columns, nested as their names say."""
    row: dict[str, Any] = {}
    for column, of in zip(columns, values, strict=True):
        *parents, name = column.split(".")
        inner = row
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = of
    return row
