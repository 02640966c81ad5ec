"""The figure of docs/prediction.md: the paper's margins against the differences here, each in units of its noise."""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from unidelta.analysis.agreement import Ordered
from unidelta.analysis.draw import Drawing, themed
from unidelta.analysis.names import TASKS, Scale, task_title
from unidelta.analysis.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE

_INCHES = (6.8, 4.7)
_REACH_X, _REACH_Y = (0.05, 20.0), 10.0
_ROOM_Y = 4.0  # the axis is longer than what is drawn, by this factor: for the words in the corners
_TICKS_X, _TICKS_Y = (0.1, 0.3, 1, 3, 10), (-10, -3, -1, 0, 1, 3, 10)
_LOOKS = dict(zip(TASKS, ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D")), strict=True))


@themed()
def drawn(of_claims: Sequence[Ordered], of_rows: Sequence[Ordered], scale: Scale) -> Drawing:
    """The figure: a point for each pair whose noise is known on both sides; what lies beyond an axis is at its end.

    Args:
        of_claims: the pairs of the paper's claims, drawn large.
        of_rows: all pairs of rows, drawn small and pale.
        scale: of the runs.
    """
    drawing = Drawing(figsize=_INCHES)
    drawing.subplots_adjust(left=0.115, right=0.98, bottom=0.11, top=0.93)
    axes = drawing.subplots()
    _draw_axes(axes)
    _draw_points(axes, of_rows, "rows", markersize=3, alpha=0.25, markeredgewidth=0)
    _draw_points(axes, of_claims, "claims", markersize=6, markeredgecolor=INK, markeredgewidth=0.6)
    for x, y, words in _corners(of_claims):
        ends = ("right" if x > 0.5 else "left", "top" if y > 0.5 else "bottom")
        axes.text(x, y, words, transform=axes.transAxes, ha=ends[0], va=ends[1], fontsize=8.5, zorder=4)
    tasks = [task for task in TASKS if any(one.pair.task == task for one in (*of_claims, *of_rows))]
    handles = [_handle(*_LOOKS[task], task_title(task, scale), size=6) for task in tasks]
    handles.append(_handle(GREY, "o", "pale: any two rows of a table", size=3))
    drawing.legend(handles=handles, loc="upper center", ncols=len(handles), fontsize=7.5, handletextpad=0.1)
    return drawing


def _draw_axes(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1, linscale=0.6)
    axes.set_xlim(*_REACH_X)
    axes.set_ylim(-_REACH_Y * _ROOM_Y, _REACH_Y * _ROOM_Y)
    for axis, ticks in ((axes.xaxis, _TICKS_X), (axes.yaxis, _TICKS_Y)):
        axis.set_ticks(ticks)
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(_beyond))
    axes.set_xlabel("the paper's margin ÷ twice its standard error")
    axes.set_ylabel("difference here ÷ half its 95 % interval")
    axes.grid(visible=False)
    axes.axhspan(-1, 1, color=GREY, alpha=0.13, linewidth=0, zorder=0.5)  # not significant here
    axes.axhline(0, color=INK, linewidth=1, zorder=1)
    axes.axvline(1, color=INK, linewidth=1, linestyle="--", zorder=1)
    axes.text(_REACH_X[0] * 1.08, -0.93, "grey: not significant here", fontsize=7, color=GREY, va="bottom", zorder=4)


def _beyond(value: float, _: object) -> str:
    """A tick of the vertical axis; at its ends is what lies beyond, too."""
    beyond = {_REACH_Y: "≥ ", -_REACH_Y: "≤ "}.get(value, "")
    return f"{beyond}{value:g}".replace("-", "−")


def _draw_points(axes: Axes, found: Sequence[Ordered], name: str, **look: Any) -> None:
    for task, (colour, marker) in _LOOKS.items():
        points = [place for one in found if one.pair.task == task and (place := _place(one)) is not None]
        if points:
            (dots,) = axes.plot(*zip(*points, strict=True), marker, color=colour, clip_on=False, zorder=3, **look)
            dots.set_gid(f"{name}-{task}")


def _place(one: Ordered) -> tuple[float, float] | None:
    """Where a pair is: (margin over twice its error, difference over half its interval), at most the axes' ends.

    None where the noise of a side is not known.
    """
    if one.paper_errors is None or one.half_width is None:
        return None
    low, high = _REACH_X
    x = min(max(one.paper_errors / 2, low), high)
    return x, min(max(one.difference / one.half_width, -_REACH_Y), _REACH_Y)


def _corners(found: Sequence[Ordered]) -> Iterator[tuple[float, float, str]]:
    """What each quarter says, in axes' coordinates, with how many claims of the half lie there; ties in neither."""
    for is_clear, x, where in ((False, 0.01, "within the paper's noise"), (True, 0.99, "clear in the paper")):
        mine = [one for one in found if one.is_clear_in_paper is is_clear]
        for right, y, words in ((1, 0.985, "same order here"), (0, 0.015, "other order here")):
            n = sum(one.right == right for one in mine)
            yield x, y, f"{where},\n{words}: {n} of {len(mine)}"


def _handle(colour: str, marker: str, label: str, *, size: float) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, markersize=size, linestyle="none", label=label)
