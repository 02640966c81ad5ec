"""How far a panel's score axis reaches: all that is drawn, and never so close that noise looks like a difference."""

import math
from collections.abc import Iterator
from statistics import fmean, variance

from unidelta.analysis.curve import Panel
from unidelta.analysis.score import Score

N_INTERVAL = 4
"""With fewer runs the runs themselves are shown, and no interval."""
N_DEVIATIONS = 3
_MARGIN = 0.06


def limits(panel: Panel) -> tuple[float, float] | None:
    """The least and the greatest score that the axis shows; None without any.

    The axis spans three standard deviations between seeds or more (pooled over the points that have several).
    """
    shown = list(_shown(panel))
    if not shown:
        return None
    low, high = min(shown), max(shown)
    least = max(N_DEVIATIONS * _deviation(panel), 1e-3 * max(abs(low), abs(high)), 1e-6)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    margin = _MARGIN * (high - low)
    return low - margin, high + margin


def drawn_interval(score: Score) -> tuple[float, float] | None:
    """The interval that is drawn: of four runs or more."""
    return score.interval if score.n >= N_INTERVAL else None


def _scores(panel: Panel) -> list[Score]:
    levels = [panel.full] if panel.full is not None else []
    return [*(point.score for one in panel.series for point in one.points), *levels]


def _shown(panel: Panel) -> Iterator[float]:
    for score in _scores(panel):
        yield from score.values
        yield from drawn_interval(score) or ()
    yield from (level for level in (panel.full_published, panel.oracle) if level is not None)


def _deviation(panel: Panel) -> float:
    variances = [variance(score.values) for score in _scores(panel) if score.n > 1]
    return math.sqrt(fmean(variances)) if variances else 0.0
