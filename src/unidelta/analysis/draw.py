"""Figures as SVG, PDF and PNG: the same bytes from the same data, for any matplotlib settings of the user."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from unidelta.analysis.curve import Figure, Panel, Series
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.theme import INK, PAPER, RC, Style, style_of_name

Format = Literal["svg", "pdf", "png"]

_N_COLUMNS = 2
_PANEL_INCHES = (3.7, 2.75)
_LEGEND_INCHES = 0.62
# metadata that would change with the date or the version
_METADATA: dict[Format, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "unidelta"},
    "pdf": {"CreationDate": None, "Creator": "unidelta", "Producer": "unidelta"},
    "png": {"Software": None},
}


def rendered(figure: Figure) -> dict[Format, bytes]:
    """The files of a figure, by format."""
    files: dict[Format, bytes] = {}
    with _theme():
        drawing = drawn(figure)
        drawing.draw_without_rendering()
        drawing.set_layout_engine("none")  # laid out once, and alike in every format
        for axes in drawing.axes:
            # The last bits of a layout differ between processors, and matplotlib names clip paths by all of them.
            left, bottom, width, height = (round(edge, 6) for edge in axes.get_position().bounds)
            axes.set_position((left, bottom, width, height))
        for kind, metadata in _METADATA.items():
            file = io.BytesIO()
            drawing.savefig(file, format=kind, metadata=metadata)
            files[kind] = file.getvalue()
    return files


def drawn(figure: Figure) -> Drawing:
    """The figure as a matplotlib figure: two panels per row, one legend below."""
    n_rows = math.ceil(len(figure.panels) / _N_COLUMNS)
    n_columns = min(len(figure.panels), _N_COLUMNS)
    width, height = _PANEL_INCHES
    drawing = Drawing(figsize=(width * n_columns, height * n_rows + _LEGEND_INCHES), layout="constrained")
    places = list(drawing.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    for axes, panel in zip(places, figure.panels, strict=False):
        draw_panel(axes, panel, is_log=figure.is_log)
        axes.set_xlabel(figure.x_label)
        axes.tick_params(labelbottom=True)  # one scale for all, and its numbers below each
    for axes in places[len(figure.panels) :]:
        axes.set_axis_off()
    handles = _legend(figure)
    if handles:
        drawing.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4), fontsize=7.5)
    return drawing


def draw_panel(axes: Axes, panel: Panel, *, is_log: bool) -> Axes:
    """Draw one panel's curves into axes.

    Measured: filled markers at the means, 95 % intervals, the single runs as small points. Published: hollow markers
    on a dashed line. Full fine-tuning: a dashed horizontal line, its interval a band; dotted where published.

    Args:
        axes: where to.
        panel: the curves.
        is_log: whether the share of parameters is drawn on a logarithmic axis.
    """
    axes.set_title(panel.title)
    axes.set_ylabel(panel.y_label)
    if is_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for series in sorted(panel.series, key=lambda series: not series.is_published):  # measured above published
        _draw_series(axes, series)
    if panel.full is not None and panel.full.mean is not None:
        axes.axhline(panel.full.mean, color=INK, linestyle="--", linewidth=1.1, zorder=1.5)
        if panel.full.half_width is not None:
            low, high = panel.full.mean - panel.full.half_width, panel.full.mean + panel.full.half_width
            axes.axhspan(low, high, color=INK, alpha=0.1, linewidth=0, zorder=1)
    if panel.full_published is not None:
        axes.axhline(panel.full_published, color=INK, linestyle=":", linewidth=1.1, zorder=1.5)
    if not any(point.score.n for series in panel.series for point in series.points):
        axes.text(0.5, 0.5, "no runs yet", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
    return axes


def _style(method: str) -> Style:
    return ROWS[method].style if method in ROWS else style_of_name(method)


def _draw_series(axes: Axes, series: Series) -> None:
    look = _style(series.method)
    points = [(point.percent, point.score, point.score.mean) for point in series.points]
    curve = [(percent, mean) for percent, _, mean in points if mean is not None]
    shares, means = [percent for percent, _ in curve], [mean for _, mean in curve]
    if series.is_published:
        (line,) = axes.plot(shares, means, "--", color=look.colour, linewidth=1)
        line.set(marker=look.marker, markersize=look.size, markerfacecolor=PAPER)
        return
    axes.plot(shares, means, color=look.colour, marker=look.marker, markersize=look.size, zorder=3)
    for percent, score, mean in points:
        if mean is not None and score.half_width is not None:
            place = ([percent], [mean], [score.half_width])
            axes.errorbar(*place, fmt="none", ecolor=look.colour, elinewidth=1, capsize=2.5, zorder=2.5)
        if score.n > 1:
            runs = ([percent] * score.n, score.values)
            axes.plot(*runs, ".", color=look.colour, alpha=0.5, markersize=3, zorder=2.8)


def _legend(figure: Figure) -> list[Line2D]:
    """One legend entry per method, then the meaning of the markers and line styles that occur."""
    series = [one for panel in figure.panels for one in panel.series if any(point.score.n for point in one.points)]
    are_published = {one.is_published for one in series}
    measured_keys = {(one.label, one.method) for one in series if not one.is_published}
    handles: list[Line2D] = []
    for label, method in dict.fromkeys((one.label, one.method) for one in series):
        look = _style(method)
        face, line = (look.colour, "-") if (label, method) in measured_keys else (PAPER, "--")
        handle = Line2D([], [], color=look.colour, linestyle=line, label=label)
        handle.set(marker=look.marker, markersize=look.size, markerfacecolor=face)
        handles.append(handle)
    if False in are_published:
        handles.append(Line2D([], [], color=INK, marker="o", label="measured: mean, 95 % interval, runs"))
    if True in are_published:
        line = Line2D([], [], color=INK, marker="o", markerfacecolor=PAPER, linestyle="--", label="published")
        handles.append(line)
    if any(panel.full is not None and panel.full.n for panel in figure.panels):
        handles.append(Line2D([], [], color=INK, linestyle="--", linewidth=1.1, label="full fine-tuning"))
    if any(panel.full_published is not None for panel in figure.panels):
        handles.append(Line2D([], [], color=INK, linestyle=":", linewidth=1.1, label="full fine-tuning, published"))
    return handles


@contextmanager
def _theme() -> Iterator[None]:
    """A context with matplotlib's defaults and the theme; restores the user's settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in RC.items():
            mpl.rcParams[name] = value
        yield
