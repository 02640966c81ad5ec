"""Tables as Markdown, CSV and LaTeX. A cell's text may come from a record, so each format escapes it."""

import csv
import io
import re
from collections.abc import Sequence

from unidelta.analysis.page import markdown
from unidelta.analysis.table import Cell, Column, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_HEAD = "row bottleneck column kind text value half_width n failed diverged interrupted run_ids command".split()
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "·": r"$\cdot$",
    "Δ": r"$\Delta$",
    "λ": r"$\lambda$",
    "ᵀ": r"$^{\top}$",
    "§": r"\S{}",
    "“": "``",
    "”": "''",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
}
_MARKDOWN = {
    **{character: f"\\{character}" for character in "\\`*_[]|"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}


def plain(text: str) -> str:
    """Text as one line."""
    return " ".join(text.split())


def in_markdown(text: str) -> str:
    """Text escaped for Markdown and the HTML made from it."""
    return "".join(_MARKDOWN.get(character, character) for character in plain(text))


def in_latex(text: str) -> str:
    """Text escaped for LaTeX (UTF-8, T1)."""
    return "".join(_LATEX.get(character, character) for character in plain(text))


def in_csv(text: str) -> str:
    """Text that spreadsheets do not read as a formula: it gets an apostrophe if it begins like one, unless a number."""
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def grid(table: Table) -> str:
    """The table's cells in Markdown, text aligned left and numbers right."""
    head = [in_markdown(title(table, column)) for column in table.columns]
    names, _, *body = markdown([head, *([in_markdown(cell.text) for cell in row] for row in table.rows)]).splitlines()
    rule = f"| {' | '.join('---' if column.align == 'left' else '---:' for column in table.columns)} |"
    return "\n".join([names, rule, *body])


def to_text(table: Table) -> str:
    """The table for a terminal: columns aligned, notes below."""
    lines = [[plain(title(table, column)) for column in table.columns]]
    lines += [[plain(cell.text) for cell in row] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    are_left = [column.align == "left" for column in table.columns]
    shown = [
        "  ".join(
            w.ljust(n) if left else w.rjust(n) for w, n, left in zip(line, widths, are_left, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([plain(table.caption), "", *shown, "", *map(plain, table.notes)])


def to_markdown(table: Table) -> str:
    """The table with title, notes, and the commands that fill missing cells."""
    parts = [f"## {in_markdown(table.title)}", in_markdown(table.caption), grid(table)]
    parts += [in_markdown(note) for note in table.notes]
    if table.commands:
        parts.append(f"To fill the missing cells:\n\n{code(table.commands)}")
    return "\n\n".join(parts) + "\n"


def code(commands: Sequence[str]) -> str:
    """Command lines as a block of Markdown."""
    return "\n".join(["```bash", *(plain(command) for command in commands), "```"])


def to_csv(table: Table) -> str:
    """One line per cell that is or could be a number: easier to parse than nested column heads."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEAD)
    for row in table.rows:
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            writer.writerow([in_csv(word) for word in _line(table, row, column, cell)])
    return stream.getvalue()


def to_latex(table: Table) -> str:
    r"""A `tabular` with the rules of booktabs, in a `table` with caption and label."""
    head = " & ".join(in_latex(title(table, column)) for column in table.columns)
    rows = [" & ".join(in_latex(cell.text) for cell in row) + r" \\" for row in table.rows]
    columns = "".join("l" if column.align == "left" else "r" for column in table.columns)
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        rf"\caption{{{in_latex(table.title)}. {in_latex(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",  # never wider than the text
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        *(rf"\par {in_latex(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def title(table: Table, column: Column) -> str:
    """A column's head, with the group if several groups have the same columns."""
    is_one_of_several = sum(other.title == column.title for other in table.columns) > 1
    return f"{column.group}: {column.title}" if is_one_of_several else column.title


def _line(table: Table, row: tuple[Cell, ...], column: Column, cell: Cell) -> list[str]:
    score = cell.score
    counts = ("", "", "", "", "", "")
    if score is not None:
        width = "" if score.half_width is None else f"{score.half_width:.6g}"
        counts = (width, *map(str, (score.n, score.n_failed, score.n_diverged, score.n_interrupted)))
        counts = (*counts, " ".join(score.run_ids))
    value = "" if cell.value is None else f"{cell.value:.8g}"
    bottleneck = row[1].text if len(table.columns) > 1 and table.columns[1].title == "bottleneck" else ""
    return [row[0].text, bottleneck, title(table, column), column.kind, cell.text, value, *counts, cell.command or ""]
