"""The paper's Figures 2, 4 and 5 from our runs, with the published curves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from unidelta.analysis.curve import Figure, Panel, Point, Series
from unidelta.analysis.frame import Row
from unidelta.analysis.frame import rows as rows_of
from unidelta.analysis.in_print import percent_text
from unidelta.analysis.names import METRICS, TASKS, task_title
from unidelta.analysis.paper_rows import ROWS, key_of_row
from unidelta.analysis.published import IN_SCRIPT
from unidelta.analysis.registry import register
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import Score
from unidelta.analysis.table import MISSING, Cell, Column, Table
from unidelta.analysis.tables import score_cell, shown

_TITLES = {
    "fig2": "Figure 2: what was known before, and MAM, on summaries",
    "fig4": "Figure 4: scores against the number of tuned parameters",
    "fig5": "Figure 5: modifying attention against modifying the FFN",
}
_PUBLISHED = ", published"
_LOGARITHMIC = ("fig2", "fig4")
_FULL = "full_ft"
_NOT_SHOWN = ("prompt",)  # the paper's figures have no prompt tuning; Table 6 has
_SCALES = {
    "mini": "Scale mini: the paper's curves are of different data and have separate panels; compare shapes only. The"
    " oracle knows all but the noise of the test set.",
    "paper": "Scale paper: solid curves are measured; hollow points on dashed curves are the paper's.",
}
_WHAT = (
    "Means over seeds, single runs as points beside them, 95 % t-intervals for four runs or more; parameters as the"
    " paper counts them."
)


def comparison(name: str, runs: Runs, published: pd.DataFrame) -> Figure:
    """One of the paper's figures, from our runs.

    Args:
        name: e.g. `fig4`.
        runs: of one scale.
        published: the numbers in `results/paper/results.csv`.
    """
    artefact = f"Figure {name.removeprefix('fig')}"
    rows = [row for row in rows_of(published) if row["artefact"] == artefact and row["method"] not in _NOT_SHOWN]
    tasks = list(dict.fromkeys((row["task"], row["metric"]) for row in rows))
    by_task = [[row for row in rows if (row["task"], row["metric"]) == task] for task in tasks]
    measured = [_panel(mine, runs) for mine in by_task]
    printed = [_published_panel(mine) for mine in by_task]
    if runs.scale == "mini":
        panels = (*measured, *printed)
    else:
        panels = tuple(
            replace(ours, series=(*ours.series, *theirs.series), full_published=theirs.full_published)
            for ours, theirs in zip(measured, printed, strict=True)
        )
    commands = [score_cell(key_of_row(row), row, runs).command for row in rows]
    return Figure(
        name=name,
        title=_TITLES[name],
        caption=f"{_WHAT} {_SCALES[runs.scale]}",
        panels=panels,
        is_log=name in _LOGARITHMIC,
        notes=(*_lost(measured), *_remarks(rows)),
        commands=tuple(dict.fromkeys(command for command in commands if command is not None)),
    )


def data(figure: Figure) -> Table:
    """The numbers of a figure, one row per point."""
    columns = [Column(title="method", kind="text"), Column(title="bottleneck", kind="text")]
    rows: dict[tuple[str, str, int], list[Cell]] = {}
    percent = "%" if figure.is_of_budgets else figure.x_label
    n_cells = 2
    for panel in figure.panels:
        for is_published in (False, True):
            series = [one for one in panel.series if one.is_published == is_published]
            if not any(one.points for one in series):
                continue
            # a panel of published curves says so in its title
            group = panel.title.removesuffix(_PUBLISHED)
            columns.append(Column(title="%, printed" if is_published else percent, kind="percent", group=group))
            what = "published" if is_published else "score"
            columns.append(Column(title=f"{panel.y_label}, {what}", kind=what, group=group))
            level = panel.full_published if is_published else panel.full.mean if panel.full is not None else None
            full = Score(values=(level,)) if is_published and level is not None else panel.full
            for one in series:
                for point, nth in _numbered(one.points):
                    head = [Cell(text=one.label), Cell(text=point.label or MISSING)]
                    cells = rows.setdefault((one.label, point.label, nth), head)
                    _fill(cells, n_cells, point.percent, point.score, figure)
            if full is not None and level is not None:
                head = [Cell(text="full fine-tuning"), Cell(text=MISSING)]
                _fill(rows.setdefault(("full fine-tuning", "", 0), head), n_cells, 100.0, full, figure)
            n_cells += 2
    padded = (tuple(cells + [Cell(text=MISSING)] * (n_cells - len(cells))) for cells in rows.values())
    return Table(
        name=figure.name,
        title=figure.title,
        caption=figure.caption,
        columns=tuple(columns),
        rows=tuple(padded),
        notes=figure.notes,
    )


def _numbered(points: Sequence[Point]) -> list[tuple[Point, int]]:
    """Each point with how many of its label came before it: at one bottleneck there may be several rates."""
    seen: Counter[str] = Counter()
    numbered: list[tuple[Point, int]] = []
    for point in points:
        numbered.append((point, seen[point.label]))
        seen[point.label] += 1
    return numbered


def _fill(cells: list[Cell], n_before: int, percent: float, score: Score, figure: Figure) -> None:
    cells += [Cell(text=MISSING)] * (n_before - len(cells))
    is_published = bool(score.n) and not score.seeds
    text = f"{score.mean:g}" if is_published else shown(score, digits=2)
    value = Cell(text=text, value=score.mean, score=None if is_published else score)
    place = percent_text(percent) if figure.is_of_budgets and not is_published else f"{percent:.3g}"
    cells += [Cell(text=place, value=percent), value]


def _panel(rows: list[Row], runs: Runs) -> Panel:
    """The measured curves of one task."""
    task, metric = rows[0]["task"], rows[0]["metric"]
    series: dict[str, list[Point]] = {}
    for row in rows:
        key = key_of_row(row)
        score = runs.score(key, task, metric)
        if row["method"] != _FULL and score.n:
            percent = float(runs.rows(key, task)[0]["percent"])
            series.setdefault(row["method"], []).append(Point(percent=percent, score=score, label=row["bottleneck"]))
    full = runs.score(_FULL, task, metric)
    return Panel(
        title=task_title(task, runs.scale),
        y_label=_axis(metric),
        series=_series(series, is_published=False),
        full=full if full.n else None,
        oracle=runs.oracle(task, metric) if series else None,
    )


def _published_panel(rows: list[Row]) -> Panel:
    """The curves of one task that the paper's figure shows."""
    series: dict[str, list[Point]] = {}
    full: float | None = None
    for row in rows:
        if row["method"] == _FULL:
            full = float(row["value"])
        elif row["provenance"] != IN_SCRIPT:
            score = Score(values=(float(row["value"]),))
            point = Point(percent=float(row["params_percent"]), score=score, label=row["bottleneck"])
            series.setdefault(row["method"], []).append(point)
    return Panel(
        title=f"{TASKS[rows[0]['task']]}{_PUBLISHED}",
        y_label=_axis(rows[0]["metric"]),
        series=_series(series, is_published=True),
        full_published=full,
    )


def _series(points: dict[str, list[Point]], *, is_published: bool) -> tuple[Series, ...]:
    made: list[Series] = []
    for method, mine in points.items():
        ordered = tuple(sorted(mine, key=lambda point: point.percent))
        made.append(Series(label=ROWS[method].label, method=method, points=ordered, is_published=is_published))
    return tuple(made)


def _axis(metric: str) -> str:
    return METRICS[metric].replace("R-", "ROUGE-")


def _lost(panels: list[Panel]) -> tuple[str, ...]:
    """The runs behind the points that did not complete."""
    points = ((panel.title, one.label, point) for panel in panels for one in panel.series for point in one.points)
    return tuple(
        f"{title}, {label} {point.label}: {point.score.lost}, not averaged."
        for title, label, point in points
        if point.score.lost
    )


def _remarks(rows: list[Row]) -> tuple[str, ...]:
    """The known errors of the paper at the shown points."""
    noted = [row for row in rows if row["note"] and row["provenance"] != IN_SCRIPT]
    cleaned = ((row, row["note"].removeprefix("CONFLICT: ").removeprefix("WARNING ")) for row in noted)
    return tuple(
        f"{TASKS[row['task']]}, {ROWS[row['method']].label} {row['bottleneck']}: {note}." for row, note in cleaned
    )


for _name in _TITLES:
    register(_name)(partial(comparison, _name))
