"""A table before it is Markdown, CSV, LaTeX or HTML: cells with their numbers and their text."""

from dataclasses import dataclass
from typing import Literal

from unidelta.analysis.score import Score

Kind = Literal["text", "count", "percent", "score", "published", "difference"]
"""Of a column: words, a whole number, a share in percent, measured scores, printed scores, measured minus printed."""

MISSING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Args:
        title: its head, e.g. `mini-XSum R-2`.
        kind: what its cells hold.
        group: what neighbouring columns have in common (a task), or "".
    """

    title: str
    kind: Kind
    group: str = ""

    @property
    def align(self) -> Literal["left", "right"]:
        """Text left, numbers right."""
        return "left" if self.kind == "text" else "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell.

    Args:
        text: the shown text, plain: every renderer escapes it.
        value: the number by which to sort; None for words and missing cells.
        score: the runs behind a cell of kind `score`, failed and diverged ones counted.
        command: the command that fills a missing cell.
    """

    text: str
    value: float | None = None
    score: Score | None = None
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.

    Args:
        name: as typed after `python report.py`, e.g. `table3`.
        title: e.g. `Table 3: sequential against parallel insertion`.
        caption: what the numbers are and at which scale.
        columns: its columns.
        rows: its rows, a cell for each column.
        notes: sentences below it: known errors of the paper, runs that did not complete.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def _repr_markdown_(self) -> str:
        """In a notebook."""
        from unidelta.analysis.render import to_markdown  # late: it imports this module

        return to_markdown(self)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that fill the missing cells, each once, in order of row."""
        found = (cell.command for row in self.rows for cell in row if cell.command is not None)
        return tuple(dict.fromkeys(found))
