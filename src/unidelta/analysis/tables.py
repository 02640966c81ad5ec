"""The paper's Tables 2 to 6 and 12 from our runs: a row for each published row, in order."""

from collections.abc import Iterable, Sequence
from functools import partial

import pandas as pd

from unidelta.analysis.commands import command, seeds
from unidelta.analysis.frame import Row, rows
from unidelta.analysis.in_print import percent_text, signed
from unidelta.analysis.names import METRICS, Scale, task_title
from unidelta.analysis.paper_rows import key_of_row
from unidelta.analysis.registry import register
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import Score
from unidelta.analysis.table import MISSING, Cell, Column, Table

COPIED = "full_ft_published"
_TITLES = {
    "table2": "Table 2: RoBERTa with 0.5 % of the parameters",
    "table3": "Table 3: sequential against parallel insertion",
    "table4": "Table 4: heads, gating and position at equal bottlenecks",
    "table5": "Table 5: the composition at the FFN",
    "table6": "Table 6: the best of each kind against full fine-tuning",
    "table12": "Table 12: every form at several bottlenecks, at attention and at the FFN",
}
_SCALES = {
    "mini": "Scale mini: invented worlds, backbones of a few layers; the paper's bottlenecks are mapped to the same"
    " share of a smaller backbone. A score of the miniature is never shown next to the paper's, which are in"
    " docs/reproducing.md.",
    "paper": "Scale paper: the published experiment. “Paper” is what He et al. (2022) print; the difference is measured"
    " minus printed.",
}
_WHAT = "Mean ± half the 95 % t-interval over n seeds; no interval for a single run."


def comparison(name: str, runs: Runs, published: pd.DataFrame) -> Table:
    """One of the paper's tables, from our runs.

    Args:
        name: e.g. `table3`.
        runs: of one scale.
        published: the numbers in `results/paper/results.csv`.
    """
    artefact = f"Table {name.removeprefix('table')}"
    mine = [row for row in rows(published) if row["artefact"] == artefact]
    scores = list(dict.fromkeys((row["task"], row["metric"]) for row in mine))
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in mine:
        groups.setdefault((_label(row), row["position"]), []).append(row)
    if runs.scale == "mini":  # numbers that the paper copied have no runs
        groups = {label: rows for label, rows in groups.items() if rows[0]["method"] != COPIED}
    body = tuple(_row(label, rows, scores, runs) for (label, _), rows in groups.items())
    if runs.scale == "mini":
        body = (*body, _oracle(scores, runs))
    return Table(
        name=name,
        title=_TITLES[name],
        caption=f"{_WHAT} {_SCALES[runs.scale]}",
        columns=_columns(scores, runs.scale),
        rows=body,
        notes=_notes(mine, runs.scale, body),
    )


def _columns(scores: list[tuple[str, str]], scale: Scale) -> tuple[Column, ...]:
    columns = [
        Column(title="method", kind="text"),
        Column(title="bottleneck", kind="text"),
        Column(title="tuned %" if scale == "mini" else "%, as the paper counts", kind="percent"),
        Column(title="tuned matrices", kind="count"),
    ]
    if scale == "paper":
        columns.insert(3, Column(title="%, printed", kind="percent"))
    for task, metric in scores:
        title = f"{task_title(task, scale)} {METRICS[metric]}"
        columns.append(Column(title=title, kind="score", group=title))
        if scale == "paper":
            columns.append(Column(title="paper", kind="published", group=title))
            columns.append(Column(title="difference", kind="difference", group=title))
    return tuple(columns)


def _row(label: str, rows: list[Row], scores: list[tuple[str, str]], runs: Runs) -> tuple[Cell, ...]:
    by_task = {row["task"]: key_of_row(row) for row in rows}
    run = [row for task, key in by_task.items() for row in runs.rows(key, task)]
    cells = [
        Cell(text=label),
        _sizes(run, rows),
        _percent(run, runs.scale),
        _count(run),
    ]
    if runs.scale == "paper":
        printed = rows[0]["params_percent"]
        cells.insert(3, Cell(text=printed, value=float(printed)))
    for task, metric in scores:
        row = next((row for row in rows if (row["task"], row["metric"]) == (task, metric)), None)
        cells += _scored(row, runs)
    return tuple(cells)


def _oracle(scores: list[tuple[str, str]], runs: Runs) -> tuple[Cell, ...]:
    """The oracle's row: what one scores who knows everything but the noise of the miniature's test sets."""
    cells = [Cell(text="oracle"), *[Cell(text=MISSING)] * 3]
    for task, metric in scores:
        value = runs.oracle(task, metric)
        cells.append(Cell(text=MISSING) if value is None else Cell(text=f"{value:.2f}", value=value))
    return tuple(cells)


def _scored(row: Row | None, runs: Runs) -> list[Cell]:
    """A row's score in one metric and, at the paper's scale, the printed value and the difference."""
    empty = Cell(text=MISSING)
    if row is None:
        return [empty] * (3 if runs.scale == "paper" else 1)
    key = key_of_row(row)
    measured = empty if key == COPIED else score_cell(key, row, runs)
    if runs.scale == "mini":
        return [measured]
    value, spread = row["value"], f" ± {row['std']}" if row["std"] else ""
    printed = Cell(text=f"{value}{spread}", value=float(value))
    if measured.value is None:
        return [measured, printed, empty]
    digits, difference = _digits(value), measured.value - float(value)
    return [measured, printed, Cell(text=signed(difference, digits), value=difference)]


def score_cell(key: str, row: Row, runs: Runs) -> Cell:
    """The cell of a design in the metric of a published row; without a score, the command that makes its runs."""
    score = runs.score(key, row["task"], row["metric"])
    if score.mean is not None:
        return Cell(text=shown(score, _digits(row["value"])), value=score.mean, score=score)
    wanted = seeds(row["artefact"], scale=runs.scale, has_spread=bool(row["std"]))
    note = f" ({score.lost})" if score.lost else ""
    return Cell(text=f"{MISSING}{note}", score=score, command=command(key, row["task"], runs, seeds=wanted))


def shown(score: Score, digits: int) -> str:
    """`21.90 ± 0.12 (n=3)`, with the runs that did not complete: `21.90 ± 0.12 (n=3, 1 diverged)`."""
    spread = "" if score.half_width is None else f" ± {score.half_width:.{digits}f}"
    return f"{score.mean:.{digits}f}{spread} (n={score.n}{f', {score.lost}' if score.lost else ''})"


def _label(row: Row) -> str:
    if row["method"] == COPIED:
        return "Full fine-tuning, as Lewis et al. (2020) and Liu et al. (2020) print it"
    # beside our own runs, "our" would be ambiguous
    label = row["label"].replace(" (our run)", "").replace("our variant, ", "")
    return f"{label} ({row['position'].split('_')[0]})" if row["artefact"] == "Table 12" else label


def _digits(value: str) -> int:
    return len(value.partition(".")[2])


def _sizes(run: Sequence[Row], rows: list[Row]) -> Cell:
    """The paper's bottleneck and, on another backbone, the one of the runs: `512 → 64`."""
    if not run:
        printed = key_of_row(rows[0]).partition("@")[2].partition("[")[0]
        return Cell(text=printed or MISSING)
    there, here = (_each(row[name] for row in run) for name in ("bottlenecks_paper", "bottlenecks"))
    return Cell(text=(there if there == here else f"{there} → {here}") or MISSING)


def _percent(run: Sequence[Row], scale: Scale) -> Cell:
    """In the order of the tasks, as sizes are; beside what is printed, in the paper's own rounding."""
    if scale == "paper":
        shown = [f"{float(row['percent_paper']):g}" for row in run]
    else:
        shown = [percent_text(float(row["percent"])) for row in run]
    return Cell(text=_each(shown) or MISSING, value=float(run[0]["percent"]) if run else None)


def _count(run: Sequence[Row]) -> Cell:
    values = [int(row["matrices"]) for row in run]
    return Cell(text=_each(f"{value:,}" for value in values) or MISSING, value=values[0] if values else None)


def _each(words: Iterable[str]) -> str:
    """Every different word once; tasks on backbones of different sizes have two."""
    return " / ".join(dict.fromkeys(words))


def _notes(mine: list[Row], scale: Scale, body: tuple[tuple[Cell, ...], ...]) -> tuple[str, ...]:
    notes: list[str] = []
    if scale == "paper":
        noted: dict[str, list[str]] = {}
        for row in mine:
            if row["note"]:
                noted.setdefault(row["note"].lstrip("* "), []).append(_label(row))
        notes += [f"{'; '.join(dict.fromkeys(labels))}: {note}." for note, labels in noted.items()]
    if any(cell.score is not None and cell.score.lost for row in body for cell in row):
        notes.append("Failed, diverged and interrupted runs are counted in their cells but not averaged.")
    return tuple(notes)


for _name in _TITLES:
    register(_name)(partial(comparison, _name))
