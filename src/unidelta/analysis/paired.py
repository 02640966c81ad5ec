"""Differences of two sides, paired by seed, and tests of their mean (docs/statistics.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Literal

from scipy.special import stdtr

from unidelta.analysis.score import Score, half_width

LEVEL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """First minus second, one value for each seed that both have."""

    by_seed: dict[int, float]

    @property
    def values(self) -> tuple[float, ...]:
        """The differences, in order of seed."""
        return tuple(self.by_seed[seed] for seed in sorted(self.by_seed))

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.by_seed)

    @property
    def mean(self) -> float | None:
        """Their mean; None without a pair."""
        return mean(self.values) if self.by_seed else None

    @property
    def half_width(self) -> float | None:
        """Of the 95 % t-interval of the mean; None for fewer than two pairs."""
        return half_width(self.values)

    @property
    def effect(self) -> float | None:
        """Mean over standard deviation (d_z); None for fewer than two pairs, or if all pairs differ by the same."""
        if self.n < 2 or stdev(self.values) == 0:
            return None
        return mean(self.values) / stdev(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a test of a claim.

    Args:
        favours: the verdict if `p` is small.
        p: the probability of a result at least this extreme if that verdict were wrong.
    """

    favours: Literal["supported", "contradicted"]
    p: float


def paired(first: Score, second: Score) -> Differences:
    """First minus second, by seed; seeds that only one side has are left out."""
    one, other = (dict(zip(side.seeds, side.values, strict=True)) for side in (first, second))
    return Differences(by_seed={seed: one[seed] - other[seed] for seed in one if seed in other})


def of_differences(first: Differences, second: Differences) -> Differences:
    """Differences of differences, by seed, for an interaction."""
    shared = first.by_seed.keys() & second.by_seed.keys()
    return Differences(by_seed={seed: first.by_seed[seed] - second.by_seed[seed] for seed in sorted(shared)})


def above(differences: Differences, bound: float) -> Outcome:
    """Is the mean above a bound? A two-sided t-test, significant if the interval excludes the bound.

    Raises:
        ValueError: there are fewer than two pairs.
    """
    p = _p_above(differences, bound)
    return Outcome(favours="supported" if p <= 0.5 else "contradicted", p=2 * min(p, 1 - p))


def below(differences: Differences, bound: float) -> Outcome:
    """Is the mean below a bound? Like `above`."""
    p = _p_above(differences, bound)
    return Outcome(favours="supported" if p > 0.5 else "contradicted", p=2 * min(p, 1 - p))


def within(differences: Differences, margin: float) -> Outcome:
    """Is the mean between −margin and +margin? Two one-sided tests (Schuirmann 1987) that must both be significant.

    The claim is contradicted if the two-sided test puts the mean outside the margin.

    Raises:
        ValueError: there are fewer than two pairs.
    """
    over_low, over_high = (_p_above(differences, bound) for bound in (-margin, margin))
    is_inside = max(over_low, 1 - over_high)
    is_beyond = min(1.0, 2 * min(over_high, 1 - over_low))
    if is_inside <= is_beyond:
        return Outcome(favours="supported", p=is_inside)
    return Outcome(favours="contradicted", p=is_beyond)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979), which bound the family-wise error rate of a group."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _p_above(differences: Differences, bound: float) -> float:
    """One-sided: the probability of a mean this far above the bound, or further, if it were the bound."""
    values = differences.values
    if len(values) < 2:
        raise ValueError("a t-test takes two pairs or more")
    distance, error = mean(values) - bound, stdev(values) / math.sqrt(len(values))
    if error == 0:
        return 0.5 if distance == 0 else float(distance < 0)
    return float(stdtr(len(values) - 1, -distance / error))
