"""The report as one self-contained page: figures, claims, tables, runs, and their provenance."""

import base64
import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from unidelta.analysis import html
from unidelta.analysis.claims_page import WORDS
from unidelta.analysis.curve import Figure
from unidelta.analysis.explore.board import board, board_table
from unidelta.analysis.figures import data
from unidelta.analysis.findings import findings
from unidelta.analysis.forest import claims_table
from unidelta.analysis.frame import rows as rows_of
from unidelta.analysis.in_print import percent_text
from unidelta.analysis.names import Scale, panel_title
from unidelta.analysis.pointed import pointed
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import MISSING, Cell, Column, Table
from unidelta.analysis.verdicts import Verdict

_TEMPLATE = Path(__file__).with_suffix(".html")
_HEADLINE = "fig2"
_NO_RUNS = "<p>There are no runs yet.</p>"
_TITLES = {
    "mini": "What of the unified view of parameter-efficient tuning (He et al., ICLR 2022) holds in miniature",
    "paper": "What of the unified view of parameter-efficient tuning (He et al., ICLR 2022) reproduces",
}
_SCALES = {
    "mini": "These are runs of the miniature: invented worlds and small backbones pretrained on them, which anyone can"
    " reproduce on two cores. A verdict is about the miniature, not about the paper's numbers.",
    "paper": "These are runs of the published experiment.",
}
_RUNS = (
    "run",
    "method",
    "position",
    "task",
    "seed",
    "tuned %",
    "status",
    "score",
    "metric",
    "seconds",
    "date",
    "why not",
)


def page(
    runs: Runs,
    *,
    tables: Sequence[Table],
    figures: Sequence[tuple[Figure, bytes]],
    verdicts: Sequence[Verdict],
    up: str,
) -> str:
    """The page's text.

    Args:
        runs: of one scale.
        tables: every table.
        figures: every figure with its SVG.
        verdicts: one for each claim.
        up: the path from the page's folder to the results folder, e.g. `../`.
    """
    rows = rows_of(runs.frame)
    known = frozenset(row["run_id"] for row in rows)
    template = _TEMPLATE.read_text(encoding="utf-8")
    script = template.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    others = [(made, svg) for made, svg in figures if made.name != _HEADLINE]
    parts = {
        "digest": digest,
        "title": html.text(_TITLES[runs.scale]),
        "headline_name": _HEADLINE,
        "what": html.text(_SCALES[runs.scale]),
        "findings": "".join(f"<p>{html.text(line)}</p>" for line in findings(verdicts, runs)),
        "counts": _counts(verdicts),
        "headline": "".join(
            _figure(made, svg, known, runs.scale, up) for made, svg in figures if made.name == _HEADLINE
        ),
        "figures": "".join(_figure(made, svg, known, runs.scale, up) for made, svg in others),
        "claims": claims_table(verdicts, runs, known),
        "tables": _tables(tables, known, runs.scale, up),
        "boards": _boards(runs) if rows else _NO_RUNS,
        "runs": _runs(rows, up) if rows else _NO_RUNS,
        "provenance": _provenance(rows),
        "navigation": _navigation(tables, [made for made, _ in others]),
    }
    return Template(template.replace(script, "$script")).substitute(parts, script=script)


def _boards(runs: Runs) -> str:
    """A board of each task, folded."""
    if "settings" not in runs.frame:
        return ""
    parts: list[str] = []
    for task in dict.fromkeys(str(name) for name in runs.frame["task"]):
        table = board_table(board(runs.frame.loc[runs.frame["task"] == task]), name=task, title=task)
        what = f"{panel_title(task, runs.scale, names_scale=False)}: {len(table.rows)} settings, the best first"
        inside = f'<p class="caption">{html.text(table.caption)}</p>{html.table(table)}'
        parts.append(f"<details><summary>{html.text(what)}</summary>{inside}</details>")
    return "".join(parts)


def _runs(rows: Sequence[Mapping[str, Any]], up: str) -> str:
    """Every run, folded, with a search and choices of method, task and status."""
    choices = "".join(_choice(name, [str(row[name]) for row in rows]) for name in ("method", "task", "status"))
    made = html.table(run_table(rows), records=_records(rows, up), chosen=("method", "task", "status"))
    return (
        f"<details><summary>{len(rows)} runs, each with its record</summary>"
        '<div class="filter" data-for="runs"><input type="search" aria-label="search runs" placeholder="search runs">'
        f'{choices}<button type="button" hidden>show all</button><output></output></div>{made}</details>'
    )


def _choice(name: str, values: Sequence[str]) -> str:
    options = "".join(f"<option>{html.text(value)}</option>" for value in dict.fromkeys(sorted(values)))
    return f'<select aria-label="{name}" data-name="{name}"><option value="">every {name}</option>{options}</select>'


def run_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Every run, complete or not."""
    kinds = {"seed": "count", "tuned %": "percent", "score": "score", "seconds": "count"}
    columns = tuple(Column(title=name, kind=kinds.get(name, "text")) for name in _RUNS)  # pyright: ignore[reportArgumentType]
    return Table(name="runs", title="Runs", caption="", columns=columns, rows=tuple(_run(row) for row in rows))


def _run(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    score = row["test"]
    is_there = isinstance(score, int | float) and not math.isnan(score)
    return (
        Cell(text=row["run_id"]),
        Cell(text=str(row["method"])),
        Cell(text=str(row["position"])),
        Cell(text=str(row["task"])),
        Cell(text=str(row["seed"]), value=float(row["seed"])),
        Cell(text=percent_text(float(row["percent"])), value=float(row["percent"])),
        Cell(text=str(row["status"])),
        Cell(text=f"{score:.2f}" if is_there else MISSING, value=float(score) if is_there else None),
        Cell(text=str(row["metric"])),
        Cell(text=f"{row['seconds']:.0f}", value=float(row["seconds"])),
        Cell(text=str(row["when"])[:16].replace("T", " ")),
        Cell(text=str(row["reason"])),
    )


def _records(rows: Sequence[Mapping[str, Any]], up: str) -> dict[str, str]:
    """The path from the page to the record of each run; "" for runs that are not read from records."""
    return {row["run_id"]: up + row["path"] if row["path"] else "" for row in rows}


def _figure(figure: Figure, svg: bytes, known: frozenset[str], scale: Scale, up: str) -> str:
    links = _files([f"{up}{scale}/figures/{figure.name}.{kind}" for kind in ("svg", "pdf", "png", "csv")])
    drawing = pointed(figure, html.drawing(figure, svg), known)
    return (
        f'<section id="{html.text(figure.name)}" class="figure"><h3>{html.text(figure.title)}</h3>'
        f'<div class="wide">{drawing}</div><p class="caption">{html.text(figure.caption)} {links}</p>'
        f"<details><summary>the numbers</summary>{html.table(data(figure), known=known)}</details>"
        f"{html.commands(figure.commands)}</section>"
    )


def _tables(tables: Sequence[Table], known: frozenset[str], scale: Scale, up: str) -> str:
    """Every table; what all of their captions say stands once, above them."""
    shared, n = Counter(made.caption for made in tables).most_common(1)[0] if tables else ("", 0)
    above = f'<p class="caption">{html.text(shared)}</p>' if n > 1 else ""
    captions = ("" if n > 1 and made.caption == shared else f"{html.text(made.caption)} " for made in tables)
    return above + "".join(_table(made, words, known, scale, up) for made, words in zip(tables, captions, strict=True))


def _table(table: Table, caption: str, known: frozenset[str], scale: Scale, up: str) -> str:
    links = _files([f"{up}{scale}/tables/{table.name}.{kind}" for kind in ("md", "csv", "tex")])
    return (
        f'<section id="{html.text(table.name)}"><h3>{html.text(table.title)}</h3>'
        f'<p class="caption">{caption}{links}</p>{html.table(table, known=known)}</section>'
    )


def _files(paths: Sequence[str]) -> str:
    links = " · ".join(f'<a href="{html.text(path)}">{html.text(path.rpartition(".")[2])}</a>' for path in paths)
    return f'<span class="files">{links}</span>'


def _counts(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(verdict.word for verdict in verdicts)
    classes = {word: word.replace(" ", "-") for word in WORDS}
    return "".join(f'<li class="{classes[word]}"><b>{counts[word]}</b> {word}</li>' for word in WORDS)


def _provenance(rows: Sequence[Mapping[str, Any]]) -> str:
    """Commits, versions, machines and dates of the runs, each with its number of runs."""
    if not rows:
        return _NO_RUNS
    days = sorted(str(row["when"])[:10] for row in rows if row["when"])
    facts = {
        "runs": [f"{n} {status}" for status, n in Counter(str(row["status"]) for row in rows).items()],
        "dates": [days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"] if days else [],
        "compute": [f"{sum(float(row['seconds']) for row in rows) / 3600:.1f} hours of training and evaluation"],
        "commits": _each(rows, "commit"),
        "devices": _each(rows, "device"),
        "machines": _each(rows, "platform"),
        "versions": [
            ", ".join(f"{name} {version}" for name, version in json.loads(packages).items())
            for packages in dict.fromkeys(row["packages"] for row in rows)
            if packages
        ],
    }
    items = (
        f"<dt>{name}</dt>{''.join(f'<dd>{html.text(line)}</dd>' for line in lines)}" for name, lines in facts.items()
    )
    return f"<dl>{''.join(items)}</dl>"


def _each(rows: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    counts = Counter(str(row[name]) for row in rows if row[name])
    return [f"{value} ({n} of {len(rows)} runs)" for value, n in counts.most_common()]


def _navigation(tables: Sequence[Table], figures: Sequence[Figure]) -> str:
    names = [*(made.name for made in figures), *(made.name for made in tables)]
    words = {name: name.replace("fig", "Figure ").replace("table", "Table ") for name in names}
    return "".join(f'<a href="#{html.text(name)}">{html.text(words[name])}</a>' for name in names)
