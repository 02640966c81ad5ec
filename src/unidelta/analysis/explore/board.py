"""A board: one row for each setting, the best first."""

import math
from collections.abc import Sequence

import pandas as pd

from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.asked import given_table
from unidelta.analysis.explore.differences import differing
from unidelta.analysis.explore.setting import GROUP, Setting, settings_of
from unidelta.analysis.in_print import percent_text
from unidelta.analysis.table import MISSING, Cell, Column, Kind, Table

_AFTER = ("percent", "n", "mean", "ci95", "low", "high", "seconds", "pareto", "lost", "seeds")


def board(frame: pd.DataFrame, *, task: str | None = None, metric: str | None = None) -> pd.DataFrame:
    """One row for each setting (all but the seed), sorted by mean within scale, task and metric.

    Columns: `scale`, `task`, `metric`, `method`; what settings differ by; `percent` (tuned parameters, as the paper
    counts); `n`; `mean`; `ci95` (half the 95 % t-interval); `low` and
    `high` (its ends, within what is possible); `seconds` (mean per run);
    `pareto` (no other setting scores as well with fewer parameters); `lost` (runs without a score); `seeds`.
    `attrs["notes"]` says how many runs are shown and why the others are not.

    Args:
        frame: as `unidelta.runs` returns it.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.

    Raises:
        ConfigError: it is not such a table, or there is no such task or score.
    """
    frame = given_table(frame, "runs")
    accounts = Accounts(n_runs=len(frame))
    settings = settings_of(frame, accounts, task=task, metric=metric)
    rows = rows_of(settings)
    rows.attrs["notes"] = accounts.sentences()
    return rows


def rows_of(settings: Sequence[Setting]) -> pd.DataFrame:
    """The board of some settings."""
    names = differing(settings)

    def place(one: Setting) -> tuple[object, ...]:
        return (*one.group, _badness(one), one.runs[0]["method"], one.text)

    ordered = sorted(settings, key=place)
    best = _frontier(ordered)
    lines = [_line(one, names, is_best=id(one) in best) for one in ordered]
    return pd.DataFrame(lines, columns=[*GROUP, "method", *names, *_AFTER])


def _line(one: Setting, names: Sequence[str], *, is_best: bool) -> dict[str, object]:
    low, high = one.score.interval or (math.nan, math.nan)
    return {
        **dict(zip(GROUP, one.group, strict=True)),
        "method": one.runs[0]["method"],
        **{name: one.value(name) for name in names},
        "percent": _percent(one),
        "n": one.score.n,
        "mean": math.nan if one.score.mean is None else one.score.mean,
        "ci95": math.nan if one.score.half_width is None else one.score.half_width,
        "low": low,
        "high": high,
        "seconds": one.mean("seconds"),
        "pareto": is_best,
        "lost": one.lost,
        "seeds": " ".join(map(str, one.score.seeds)),
    }


def _frontier(settings: Sequence[Setting]) -> set[int]:
    """The identities of the settings that no other beats: fewer parameters are better, and so are better scores."""
    found: set[int] = set()
    least: dict[tuple[str, str, str], tuple[float, float]] = {}
    # rounded, for means of equal scores differ in their last bits
    scored = [(round(_badness(one), 9), _percent(one), one) for one in settings if one.score.mean is not None]
    for badness, percent, one in sorted(scored, key=lambda item: item[:2]):
        before, of_least = least.get(one.group, (math.inf, math.inf))
        if percent < before:  # all that score as well have more parameters
            least[one.group] = (percent, badness)
        if percent < before or (percent, badness) == (before, of_least):
            found.add(id(one))
    return found


def _badness(one: Setting) -> float:
    """The mean score, or its negative where a high score is a good one; infinite without one."""
    mean = math.inf if one.score.mean is None else one.score.mean
    return mean if one.is_low_good(one.group[2]) or math.isinf(mean) else -mean


def _percent(one: Setting) -> float:
    return float(one.runs[0]["percent"])


def board_table(frame: pd.DataFrame, *, name: str = "board", title: str = "Board") -> Table:
    """A board as a table to be rendered: columns that say one thing in every row are left out."""
    group = [column for column in GROUP if len(set(frame[column])) > 1]
    names = [str(column) for column in frame.columns if column not in (*GROUP, *_AFTER)]
    kinds: dict[str, Kind] = {"tuned %": "percent", "score": "score", "n": "count", "seconds": "count"}
    has_lost = bool((frame["lost"] != "").any())
    heads = [*group, *names, "tuned %", "score", "n", "seconds", "Pareto", *(["lost"] if has_lost else [])]
    rows: list[tuple[Cell, ...]] = []
    for line in frame.to_dict("records"):
        cells = [_cell(line[column]) for column in (*group, *names)]
        mean = float(line["mean"])
        cells += [
            Cell(text=percent_text(float(line["percent"])), value=float(line["percent"])),
            Cell(text=_score(mean, float(line["ci95"])), value=None if math.isnan(mean) else mean),
            Cell(text=str(line["n"]), value=float(line["n"])),
            Cell(text=MISSING if math.isnan(line["seconds"]) else f"{line['seconds']:.0f}", value=line["seconds"]),
            Cell(text="★" if line["pareto"] else ""),
            *([Cell(text=str(line["lost"]))] if has_lost else []),
        ]
        rows.append(tuple(cells))
    said = [f"{column} {frame[column].iloc[0]}" for column in GROUP if column not in group and len(frame)]
    return Table(
        name=name,
        title=title,
        caption=f"{', '.join(said)}{'. ' if said else ''}Mean over seeds and 95 % t-interval; ★ no other setting scores"
        " as well with fewer parameters.",
        columns=tuple(Column(title=head, kind=kinds.get(head, "text")) for head in heads),
        rows=tuple(rows),
        notes=tuple(frame.attrs.get("notes", ())),
    )


def _score(mean: float, half_width: float) -> str:
    spread = "" if math.isnan(half_width) else f" ± {half_width:.2f}"
    return MISSING if math.isnan(mean) else f"{mean:.2f}{spread}"


def _cell(value: object) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(text=MISSING if value in (None, "") else str(value))
    return Cell(text=MISSING) if math.isnan(value) else Cell(text=f"{value:g}", value=float(value))
