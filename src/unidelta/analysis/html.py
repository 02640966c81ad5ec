"""Tables and figures as HTML. Their text may come from a record, so all of it is escaped."""

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape

from unidelta.analysis.curve import Figure
from unidelta.analysis.render import plain, title
from unidelta.analysis.table import Cell, Column, Table
from unidelta.analysis.theme import BLUE, GREEN, GREY, GRID, INK, ORANGE, PAPER, PURPLE, SKY, VERMILLION

_COLOURS = {
    INK: "ink",
    GRID: "grid",
    PAPER: "page",
    BLUE: "blue",
    SKY: "sky",
    GREEN: "green",
    ORANGE: "orange",
    VERMILLION: "vermillion",
    PURPLE: "purple",
    GREY: "grey",
}
_DRAWING = re.compile(r"<svg\b.*</svg>", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_OPENING = re.compile(r"<svg\b[^>]*\bviewBox=\"([-0-9. ]+)\"[^>]*>")


def text(words: str) -> str:
    """Text as one line, escaped for HTML."""
    return escape(plain(words), quote=True)


def table(
    made: Table,
    *,
    known: Collection[str] = (),
    records: Mapping[str, str] | None = None,
    chosen: Collection[str] = (),
) -> str:
    """A table that can be sorted by any column, with its notes and the commands for missing cells.

    Args:
        made: the table.
        known: ids of the runs that have a row on the page; scores link to their runs.
        records: if the rows are runs, the path to each record, by the name in the first cell, or "".
        chosen: titles of the columns by whose words the rows of runs can be chosen.
    """
    head = "".join(_head(made, column) for column in made.columns)
    body = "\n".join(_row(made.columns, row, known, records, chosen) for row in made.rows)
    inside = f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody>"
    return (
        f'<div class="wide"><table class="sortable">{inside}</table></div>{notes(made.notes)}{commands(made.commands)}'
    )


def notes(lines: Collection[str]) -> str:
    """Sentences below a table or figure."""
    return "".join(f'<p class="note">{text(line)}</p>' for line in lines)


def commands(lines: Collection[str]) -> str:
    """The commands that fill missing cells, folded."""
    if not lines:
        return ""
    code = "\n".join(text(line) for line in lines)
    what = "1 command fills" if len(lines) == 1 else f"{len(lines)} commands fill"
    return f"<details><summary>{what} the missing cells</summary><pre><code>{code}</code></pre></details>"


def drawing(figure: Figure, svg: bytes) -> str:
    """A figure's SVG for the page, with the page's colours and unique names."""
    found = _DRAWING.search(svg.decode("utf-8"))
    if found is None:
        raise ValueError("`svg` has no svg element.")
    content = _METADATA.sub("", found[0])
    for colour, name in _COLOURS.items():
        content = content.replace(colour, f"var(--{name})")
    content = re.sub(r'\bid="([^"]+)"', rf'id="{figure.name}-\1"', content)
    content = re.sub(r'(url\(|href=")#', rf"\1#{figure.name}-", content)
    label = text(f"{figure.title}. {figure.caption}")
    return _OPENING.sub(
        lambda found: f'<svg class="figure" viewBox="{found[1]}" role="img" aria-label="{label}">', content, count=1
    )


def _head(table: Table, column: Column) -> str:
    return f'<th scope="col" class="{column.align}"><button type="button">{text(title(table, column))}</button></th>'


def _row(
    columns: Sequence[Column],
    row: Sequence[Cell],
    known: Collection[str],
    records: Mapping[str, str] | None,
    chosen: Collection[str],
) -> str:
    cells = [_cell(column, cell, known) for column, cell in zip(columns, row, strict=True)]
    if records is None:
        return f"<tr>{''.join(cells)}</tr>"
    name, path = text(row[0].text), records[row[0].text]
    link = f'<a href="{text(path)}">{name}</a>' if path else name
    values = ((c.title, cell.text) for c, cell in zip(columns, row, strict=True) if c.title in chosen)
    data = "".join(f' data-{title}="{text(value)}"' for title, value in values)
    said = text(" ".join(cell.text for cell in row).lower())
    return f'<tr id="run-{name}" data-words="{said}"{data}><td class="left">{link}</td>{"".join(cells[1:])}</tr>'


def _cell(column: Column, cell: Cell, known: Collection[str]) -> str:
    value = "" if cell.value is None else f' data-value="{cell.value:.8g}"'
    hint = f' title="{text(cell.command)}"' if cell.command is not None else ""
    return f'<td class="{column.align}"{value}{hint}>{_said(cell, known)}</td>'


def link_attributes(names: Sequence[str]) -> str:
    """Of a link to runs: to the first one's row, and, where the page's script runs, to all of theirs alone."""
    return f'href="#run-{text(names[0])}" data-runs="{text(" ".join(dict.fromkeys(names)))}"'


def runs_link(words: str, names: Sequence[str], hint: str = "") -> str:
    """A link to the rows of some runs."""
    tip = f' data-tip="{text(hint)}"' if hint else ""
    return f"<a {link_attributes(names)}{tip}>{text(words)}</a>"


def _said(cell: Cell, known: Collection[str]) -> str:
    """What a cell says; a score leads to the runs behind it, and says what each of them scored."""
    if cell.score is None:
        return text(cell.text)
    runs = zip(cell.score.run_ids, cell.score.seeds, cell.score.values, strict=False)
    there = [(name, f"seed {seed}: {value:.2f}") for name, seed, value in runs if name in known]
    if not there:
        return text(cell.text)
    return runs_link(cell.text, [name for name, _ in there], ", ".join(told for _, told in there))
