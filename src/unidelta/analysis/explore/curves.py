"""Curves of any runs: a line for each method and position (or what you choose), a panel for each task and metric."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from unidelta.analysis.curve import PERCENT, Figure, Panel, Point, Series
from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.explore.asked import given_names, given_table
from unidelta.analysis.explore.leaving_out import chosen, without_lost
from unidelta.analysis.explore.setting import Group, Setting, check_name, check_shared, settings_of
from unidelta.analysis.names import metric_title, panel_title
from unidelta.analysis.oracle import oracle
from unidelta.analysis.paper_rows import ROWS
from unidelta.errors import ConfigError

BY = ("method", "position")
_FULL = "full_fine_tuning"
_WIDE = 10  # where the largest x is this many times the least, the axis is logarithmic


def curves(
    frame: pd.DataFrame,
    *,
    task: str | None = None,
    metric: str | None = None,
    x: str = "percent",
    by: Sequence[str] = BY,
) -> Figure:
    """Scores against `x`: means over seeds, and the best setting on dev where several are at one point.

    Args:
        frame: as `unidelta.runs` returns it.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.
        x: a column of `frame` or a setting (`training.learning_rate`) that is a number; of a column in which seeds
            differ, such as `seconds`, the mean.
        by: what lines differ by, likewise.

    Returns:
        The figure as data; its notes say how many runs are shown, and why the others are not.

    Raises:
        ConfigError: there is no such task, score or setting, or nothing to draw.
    """
    frame, by = given_table(frame, "runs"), given_names(by, "by", '("method", "position")')
    (x,) = given_names((x,), "x", '"percent"')
    accounts = Accounts(n_runs=len(frame))
    settings = without_lost(settings_of(frame, accounts, task=task, metric=metric), accounts)
    (check_shared if x == "seed" else check_name)(x, settings, f"x={x}")
    for name in by:
        check_shared(name, settings, f"by={name}")
    levels = [one for one in settings if x == "percent" and one.value("design.kind") == _FULL]
    placed = [one for one in settings if one not in levels]
    places = {id(one): _place(one, x) for one in placed}
    there = _with_place(placed, places, x, accounts)
    is_log = _is_log([places[id(one)] for one in there])
    if is_log:
        positive = {key: place if place > 0 else math.nan for key, place in places.items()}
        there = _with_place(there, positive, x, accounts)
    panels: list[Panel] = []
    scales = {one.group[0] for one in settings}
    choose = partial(chosen, accounts=accounts)
    for group in dict.fromkeys(one.group for one in settings):
        mine = [one for one in there if one.group == group]
        full = [one for one in levels if one.group == group]
        panels.append(_panel(group, mine, full, places, by, choose, names_scale=len(scales) > 1))
    panels = [panel for panel in panels if panel.series or panel.full is not None]
    if not panels:
        why = " ".join(accounts.sentences()) or "there are no runs"
        raise ConfigError(f"curve x={x} by={','.join(by)}", why, "other runs, or another x, as a column or setting")
    return Figure(
        name="curve",
        title=f"{metric or 'scores'} against {x}",
        caption="Means over seeds, single runs as points beside them, 95 % t-intervals for four runs or more; where"
        " several settings share a point, the best on dev.",
        panels=tuple(panels),
        x_label=PERCENT if x == "percent" else x,
        is_log=is_log,
        is_alone=True,
        notes=accounts.sentences(),
    )


def _panel(
    group: Group,
    settings: Sequence[Setting],
    full: Sequence[Setting],
    places: dict[int, float],
    by: Sequence[str],
    choose: Callable[[Sequence[Setting]], Setting | None],
    *,
    names_scale: bool,
) -> Panel:
    lines: dict[tuple[str, ...], dict[float, list[Setting]]] = {}
    for one in settings:
        line = lines.setdefault(tuple(_word(one.value(name)) for name in by), {})
        line.setdefault(places[id(one)], []).append(one)
    series: list[Series] = []
    for values, by_place in lines.items():
        at = {place: choose(mine) for place, mine in sorted(by_place.items())}
        drawn = {place: one for place, one in at.items() if one is not None}
        if drawn:
            label, key = _name(by, values, list(drawn.values()))
            points = tuple(_point(place, one) for place, one in drawn.items())
            series.append(Series(label=label, method=key, points=points))
    level = choose(full) if full else None
    scale, task, metric = group
    sources = {str(one.runs[0]["source"]) for one in (*settings, *full)}
    return Panel(
        title=panel_title(task, scale, names_scale=names_scale),
        y_label=metric_title(metric),
        series=tuple(series),
        full=None if level is None else level.score,
        is_low_good=any(one.is_low_good(metric) for one in (*settings, *full)),
        oracle=oracle(task, metric, scale=scale, source=sources.pop() if len(sources) == 1 else ""),
    )


def _point(place: float, one: Setting) -> Point:
    return Point(percent=place, score=one.score, label=str(one.runs[0]["bottlenecks"]))


def _name(by: Sequence[str], values: Sequence[str], settings: Sequence[Setting]) -> tuple[str, str]:
    """A line's label, and the key by which it is styled: those of the paper's row where it is one."""
    sides = {str(one.runs[0]["side"]) for one in settings}
    side = sides.pop() if len(sides) == 1 else ""
    rest = [(name, value) for name, value in zip(by, values, strict=True) if name not in BY]
    if side in ROWS and set(BY) <= set(by):
        named = ROWS[side].label
    else:
        given = dict(zip(by, values, strict=True))
        method, position = given.get("method", ""), given.get("position", "none")
        named = f"{method} ({position})".strip() if position != "none" else method
    label = ", ".join([*([named] if named else []), *(f"{name.split('.')[-1]} {value}" for name, value in rest)])
    return label, side if label == named and side in ROWS else label


def _with_place(settings: Sequence[Setting], places: dict[int, float], x: str, accounts: Accounts) -> list[Setting]:
    for one in settings:
        if math.isnan(places[id(one)]):
            accounts.leave_out(f"their {x} has no place on the axis", one.score.n, detail=str(one.runs[0]["method"]))
    return [one for one in settings if not math.isnan(places[id(one)])]


def _is_log(places: Sequence[float]) -> bool:
    positive = [place for place in places if place > 0]
    return bool(positive) and min(places) >= 0 and max(positive) >= _WIDE * min(positive)


def _place(one: Setting, x: str) -> float:
    place = _number(one.value(x))
    return one.mean(x) if x in one.runs[0] and not math.isnan(place) else place


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "–" if value in (None, "") else str(value)
