"""Figures as SVG, PDF and PNG: the same bytes from the same data, for any matplotlib settings of the user."""

import io
import math
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter
from matplotlib.transforms import ScaledTranslation

from unidelta.analysis.curve import Figure, Panel, Series
from unidelta.analysis.curve_labels import LINE_INCHES, Label, write_labels
from unidelta.analysis.limits import drawn_interval, limits
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.theme import GREY, INK, PAPER, RC, Style, free_style

Format = Literal["svg", "pdf", "png"]

_N_COLUMNS = 2
_AXES_INCHES = (2.9, 2.15)
_LABELS_INCHES, _AROUND_INCHES, _LEGEND_INCHES, _NOTE_INCHES = 1.6, 0.6, 0.45, 0.14
_NOTE_LETTERS = 105  # a line of notes below one panel
_BESIDE_POINTS = 4  # how far single runs stand beside their mean
# metadata that would change with the date or the version
_METADATA: dict[Format, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "unidelta"},
    "pdf": {"CreationDate": None, "Creator": "unidelta", "Producer": "unidelta"},
    "png": {"Software": None},
}


@contextmanager
def themed() -> Iterator[None]:
    """A context with matplotlib's defaults and the theme; restores the user's settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


class Drawing(MatplotlibFigure):
    """A figure of matplotlib that a notebook shows, drawn in the suite's theme."""

    def _repr_png_(self) -> bytes:
        return self.saved("png")

    @themed()
    def saved(self, kind: Format) -> bytes:
        """The drawing as a file of this format."""
        file = io.BytesIO()
        self.savefig(file, format=kind, metadata=_METADATA[kind])
        return file.getvalue()


@themed()
def rendered(figure: Figure) -> dict[Format, bytes]:
    """The files of a figure, by format."""
    drawing = drawn(figure)
    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")  # laid out once, and alike in every format
    for axes in drawing.axes:
        # The last bits of a layout differ between processors, and matplotlib names clip paths by all of them.
        left, bottom, width, height = (round(edge, 6) for edge in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))
    return {kind: drawing.saved(kind) for kind in _METADATA}


@themed()
def drawn(figure: Figure) -> Drawing:
    """The figure as matplotlib has it, two panels a row; curves are named at their ends, a legend says the rest."""
    n_rows = math.ceil(len(figure.panels) / _N_COLUMNS)
    n_columns = min(len(figure.panels), _N_COLUMNS)
    height = max(_AXES_INCHES[1], *(LINE_INCHES * (len(panel.series) + 2) for panel in figure.panels))
    n_letters = _NOTE_LETTERS * n_columns
    lines = [line for note in figure.notes for line in textwrap.wrap(note, n_letters)] if figure.is_alone else []
    size = (
        (_AXES_INCHES[0] + _LABELS_INCHES + _AROUND_INCHES) * n_columns,
        (height + _AROUND_INCHES) * n_rows + _LEGEND_INCHES + _NOTE_INCHES * len(lines),
    )
    drawing = Drawing(figsize=size, layout="constrained")
    places = list(drawing.subplots(n_rows, n_columns, squeeze=False, sharex=True).flat)
    looks = styles(figure)
    for i, (axes, panel) in enumerate(zip(places, figure.panels, strict=False)):
        draw_panel(axes, panel, figure, looks, name=str(i))
        write_labels(axes, _labels(panel, looks), height_inches=height)
        axes.set_xlabel(figure.x_label)
        axes.tick_params(labelbottom=True)  # one scale for all, and its numbers below each
    for axes in places[len(figure.panels) :]:
        axes.set_axis_off()
    handles = _legend(figure)
    if handles:
        drawing.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 3), fontsize=7.5)
    if lines:
        drawing.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=6.5)
    return drawing


def styles(figure: Figure) -> dict[str, Style]:
    """A style for each method of a figure; no two methods that the paper does not have look the same."""
    keys = dict.fromkeys(one.method for panel in figure.panels for one in panel.series)
    found = {key: ROWS[key].style for key in keys if key in ROWS}
    for key in keys:
        if key not in ROWS:
            found[key] = free_style(key, taken=list(found.values()))
    return found


def draw_panel(axes: Axes, panel: Panel, figure: Figure, looks: Mapping[str, Style], *, name: str) -> Axes:
    """Draw one panel's curves into axes.

    Measured: filled markers at the means, single runs as points beside them, 95 % intervals for four runs or more.
    Published: hollow markers on a dashed line. Full fine-tuning: a dashed horizontal line, its interval a band; dotted
    where published. The oracle: dash-dotted. The Pareto frontier of a budget curve: a broad grey line behind them.

    Args:
        axes: where to.
        panel: the curves.
        figure: the panel's.
        looks: of the methods.
        name: of the panel, for the names of what is drawn.
    """
    axes.set_title(panel.title)
    axes.set_ylabel(panel.y_label)
    if figure.is_log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    span = limits(panel)
    if span is not None:
        axes.set_ylim(*span)
    if figure.is_of_budgets and len(panel.frontier) > 1:
        shares, means = zip(*panel.frontier, strict=True)
        axes.plot(shares, means, drawstyle="steps-post", color=GREY, alpha=0.25, linewidth=4, zorder=1.2)
    ordered = sorted(enumerate(panel.series), key=lambda item: not item[1].is_published)  # measured above published
    for i, series in ordered:
        _draw_series(axes, series, looks[series.method], name=f"{name}-{i}")
    _draw_levels(axes, panel)
    if not any(point.score.n for series in panel.series for point in series.points):
        axes.text(0.5, 0.5, "no runs yet", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
    return axes


def _draw_levels(axes: Axes, panel: Panel) -> None:
    if panel.full is not None and panel.full.mean is not None:
        axes.axhline(panel.full.mean, color=INK, linestyle="--", linewidth=1.1, zorder=1.5)
        interval = drawn_interval(panel.full)
        if interval is not None:
            axes.axhspan(*interval, color=INK, alpha=0.1, linewidth=0, zorder=1)
    if panel.full_published is not None:
        axes.axhline(panel.full_published, color=INK, linestyle=":", linewidth=1.1, zorder=1.5)
    if panel.oracle is not None:
        axes.axhline(panel.oracle, color=GREY, linestyle="-.", linewidth=1.1, zorder=1.4)


def _draw_series(axes: Axes, series: Series, look: Style, *, name: str) -> None:
    points = [(point.percent, point.score, point.score.mean) for point in series.points]
    curve = [(percent, mean) for percent, _, mean in points if mean is not None]
    shares, means = [percent for percent, _ in curve], [mean for _, mean in curve]
    (line,) = axes.plot(shares, means, "-", color=look.colour, marker=look.marker, markersize=look.size, zorder=3)
    line.set_gid(f"means-{name}")
    if series.is_published:
        line.set(linestyle="--", linewidth=1, markerfacecolor=PAPER, zorder=2)
        return
    beside = axes.transData + ScaledTranslation(_BESIDE_POINTS / 72, 0, axes.figure.dpi_scale_trans)
    for i, (percent, score, mean) in enumerate(points):
        interval = drawn_interval(score)
        if interval is not None and mean is not None:
            place = ([percent], [mean], [[mean - interval[0]], [interval[1] - mean]])
            axes.errorbar(*place, fmt="none", ecolor=look.colour, elinewidth=1, capsize=2.5, zorder=2.5)
        if score.n > 1:
            runs = ([percent] * score.n, score.values)
            (dots,) = axes.plot(*runs, ".", color=look.colour, alpha=0.6, markersize=3.5, zorder=2.8)
            dots.set_transform(beside)
            dots.set_gid(f"runs-{name}-{i}")


def _labels(panel: Panel, looks: Mapping[str, Style]) -> list[Label]:
    """A name for each curve, at its last point; one for a method that is both measured and published."""
    found: dict[str, Label] = {}
    for one in sorted(panel.series, key=lambda series: series.is_published):
        ends = [(point.percent, point.score.mean) for point in one.points if point.score.mean is not None]
        if ends and one.method not in found:
            x, y = ends[-1]
            found[one.method] = Label(text=one.label, colour=looks[one.method].colour, x=x, y=y)
    labels = list(found.values())
    full = panel.full.mean if panel.full is not None else None
    level = panel.full_published if full is None else full
    if level is not None:
        labels.append(Label(text="full fine-tuning", colour=INK, x=None, y=level))
    if panel.oracle is not None:
        labels.append(Label(text="oracle", colour=GREY, x=None, y=panel.oracle))
    return labels


def _legend(figure: Figure) -> list[Line2D]:
    """What solid and hollow, dashed and dotted mean, as far as they are there."""
    scores = [
        (point.score, one.is_published) for panel in figure.panels for one in panel.series for point in one.points
    ]
    measured = [score for score, is_published in scores if not is_published and score.n]
    handles: list[Line2D] = []
    if measured:
        has_intervals = any(drawn_interval(score) is not None for score in measured)
        words = "mean, runs, 95 % interval (n ≥ 4)" if has_intervals else "mean, and runs beside it"
        handles.append(Line2D([], [], color=INK, marker="o", markersize=4, label=words))
    if any(is_published for _, is_published in scores):
        line = Line2D([], [], color=INK, marker="o", markersize=4, linestyle="--", label="published")
        line.set_markerfacecolor(PAPER)
        handles.append(line)
    if any(panel.full is not None and panel.full.n for panel in figure.panels):
        handles.append(Line2D([], [], color=INK, linestyle="--", linewidth=1.1, label="full fine-tuning"))
    if any(panel.full_published is not None for panel in figure.panels):
        handles.append(Line2D([], [], color=INK, linestyle=":", linewidth=1.1, label="full fine-tuning, published"))
    if figure.is_of_budgets and any(len(panel.frontier) > 1 for panel in figure.panels):
        handles.append(Line2D([], [], color=GREY, alpha=0.25, linewidth=4, label="Pareto frontier"))
    if any(panel.oracle is not None for panel in figure.panels):
        handles.append(Line2D([], [], color=GREY, linestyle="-.", linewidth=1.1, label="oracle: all but the noise"))
    return handles
