"""How noisy the paper's own numbers are, from the standard deviations that it prints (docs/statistics.md)."""

import math
from collections.abc import Iterable

import pandas as pd

from unidelta.analysis.claims import Side
from unidelta.analysis.commands import seeds
from unidelta.analysis.frame import rows
from unidelta.analysis.tables import COPIED


def largest_spreads(published: pd.DataFrame) -> dict[tuple[str, str], float]:
    """The largest printed standard deviation, by task and metric as `results/paper/` names them."""
    found: dict[tuple[str, str], float] = {}
    for row in rows(published):
        if row["std"]:
            at = (row["task"], row["metric"])
            found[at] = max(found.get(at, 0.0), float(row["std"]))
    return found


def standard_error(sides: Iterable[Side], largest: float | None) -> float | None:
    """The standard error of a sum or difference of printed scores; None if no deviation is printed for the metric.

    A mean of n seeds has the variance s² / n with the printed s. For a single run, s is the largest that the paper
    prints for the task and metric. Numbers that the paper copied count as exact.

    Args:
        sides: what is added or subtracted.
        largest: from `largest_spreads`.
    """
    if largest is None:
        return None
    return math.sqrt(sum(_variance(side, largest) for side in sides if side.key != COPIED))


def _variance(side: Side, largest: float) -> float:
    if side.spread is None:
        return largest**2
    return side.spread**2 / len(seeds(side.artefact, scale="paper", has_spread=True))
