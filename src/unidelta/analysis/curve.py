"""A figure before it is drawn: panels of curves, scores against the share of tuned parameters."""

from dataclasses import dataclass

from unidelta.analysis.score import Score

PERCENT = "tuned parameters (%)"
"""The axis of a budget curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a curve.

    Args:
        percent: tuned parameters in percent of the backbone, as the paper counts (matrices only).
        score: the runs; one value and no seed for a published point.
        label: its bottleneck, e.g. `200`.
    """

    percent: float
    score: Score
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve.

    Args:
        label: its name in the legend, e.g. `PA (ffn)`.
        method: the method's key, e.g. `pa_ffn`; measured and published curves of one method share a key, and so a
            colour and a marker in every figure.
        points: from few to many parameters.
        is_published: whether it is from the paper and not measured.
    """

    label: str
    method: str
    points: tuple[Point, ...]
    is_published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The curves of one task.

    A panel shows measured and published curves together only if both are of the same data, at scale=paper. A score of
    the miniature never shares an axis with one of the paper: at scale=mini the published curves have separate panels.

    Args:
        title: the task's title at this scale, e.g. `mini-XSum`.
        y_label: the metric, e.g. `ROUGE-2`.
        series: its curves.
        full: the measured score of full fine-tuning, drawn as a dashed line; None without runs.
        full_published: the printed score; None if the panel shows no published curve.
        oracle: what a model that knows all but the noise of the test set scores on it; None where nobody knows.
        is_low_good: whether a low score is a good one.
    """

    title: str
    y_label: str
    series: tuple[Series, ...]
    full: Score | None = None
    full_published: float | None = None
    oracle: float | None = None
    is_low_good: bool = False

    @property
    def frontier(self) -> tuple[tuple[float, float], ...]:
        """The measured points that no other beats, (percent, mean): each more costly than the last, and better."""
        sign = 1 if self.is_low_good else -1
        measured = (point for one in self.series if not one.is_published for point in one.points)
        scored = [(point.percent, point.score.mean) for point in measured if point.score.mean is not None]
        found: list[tuple[float, float]] = []
        for percent, mean in sorted(scored, key=lambda point: (point[0], sign * point[1])):
            if not found or sign * mean < sign * found[-1][1]:
                found.append((percent, mean))
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Args:
        name: as typed after `python report.py`, e.g. `fig4`.
        title: e.g. `Figure 4: scores against the number of tuned parameters`.
        caption: what is shown and at which scale.
        panels: from left to right, then down.
        x_label: of every panel.
        is_log: whether the share of parameters has a logarithmic axis.
        notes: sentences below it.
        commands: what to type to measure the points that are missing.
        is_alone: whether it is seen without a page around it, so that its notes are drawn below it.
    """

    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    x_label: str = PERCENT
    is_log: bool = True
    notes: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    is_alone: bool = False

    @property
    def is_of_budgets(self) -> bool:
        """Whether the axis is the share of tuned parameters, of which less is better."""
        return self.x_label == PERCENT
