"""The difference of two sides with its standard error, and tests of it (docs/statistics.md)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any, Literal

from scipy.special import stdtr, stdtrit

from unidelta.analysis.score import CONFIDENCE, Score, score_in

LEVEL = 0.05
Test = Literal["paired", "Welch"]
"""Whether runs of the same seed are compared with each other, or the means of independent runs."""
EQUAL = 1e-9
"""Points: scores and means that differ by less differ by rounding alone."""
_SIGNS = (1, -1, -1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """First minus second, or a difference of two such differences.

    Args:
        n: pairs, or the runs of the side that has the fewest.
        mean: of first minus second; None if n is 0.
        deviations: of the pairs' differences, or of each side (Welch); () without an error.
        error: the standard error of the mean; None where n is below 2, or nothing differs between seeds: how much a
            mean would vary is then unknown, and not 0.
        freedom: degrees of freedom of the t-distribution of mean over error.
    """

    n: int
    mean: float | None = None
    deviations: tuple[float, ...] = ()
    error: float | None = None
    freedom: float = math.nan

    @property
    def half_width(self) -> float | None:
        """Of the 95 % t-interval of the mean; None without an error."""
        return None if self.error is None else self.error * float(stdtrit(self.freedom, (1 + CONFIDENCE) / 2))

    def p_above(self, bound: float) -> float:
        """One-sided: the probability of a mean this far above the bound, or further, if it were the bound.

        Raises:
            ValueError: there is no error.
        """
        if self.mean is None or self.error is None:
            raise ValueError("a t-test takes two runs of each side or more, and scores that differ between seeds")
        return float(stdtr(self.freedom, (bound - self.mean) / self.error))


def difference(*sides: Score, test: Test) -> Difference:
    """First minus second; of four sides, that minus (third minus fourth), as for an interaction.

    Args:
        sides: two or four; of four different designs.
        test: paired takes the seeds that all sides have; Welch all runs of each side, with the degrees of freedom of
            Satterthwaite (1946).
    """
    if test == "paired":
        return _paired(sides)
    n = min(side.n for side in sides)
    if n == 0:
        return Difference(n=0)
    middle = sum(sign * mean(side.values) for sign, side in zip(_SIGNS, sides, strict=False))
    deviations = tuple(stdev(side.values) for side in sides) if n > 1 else ()
    if max(deviations, default=0.0) < EQUAL:
        return Difference(n=n, mean=middle)
    shares = [deviation**2 / side.n for deviation, side in zip(deviations, sides, strict=True)]
    squares = sum(share**2 / (side.n - 1) for share, side in zip(shares, sides, strict=True))
    freedom = sum(shares) ** 2 / squares
    return Difference(n=n, mean=middle, deviations=deviations, error=math.sqrt(sum(shares)), freedom=freedom)


def difference_on_test(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> Difference:
    """The difference of two designs' `test` scores, from all runs of each (Welch)."""
    return difference(score_in("test", first), score_in("test", second), test="Welch")


def _paired(sides: Sequence[Score]) -> Difference:
    by_seed = [dict(zip(side.seeds, side.values, strict=True)) for side in sides]
    shared = [seed for seed in by_seed[0] if all(seed in other for other in by_seed)]
    values = [sum(sign * side[seed] for sign, side in zip(_SIGNS, by_seed, strict=False)) for seed in shared]
    if not values:
        return Difference(n=0)
    deviation = stdev(values) if len(values) > 1 else 0.0
    if deviation < EQUAL:
        return Difference(n=len(values), mean=mean(values))
    return Difference(
        n=len(values),
        mean=mean(values),
        deviations=(deviation,),
        error=deviation / math.sqrt(len(values)),
        freedom=len(values) - 1,
    )


def why_no_interval(n: int) -> str:
    """Why a difference of `n` runs has no error."""
    return "one run has no interval" if n == 1 else "no interval, as seeds make no difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """The result of a test of a claim.

    Args:
        favours: the verdict if `p` is small.
        p: the probability of a result at least this extreme if that verdict were wrong.
    """

    favours: Literal["supported", "contradicted"]
    p: float


def above(found: Difference, bound: float) -> TestResult:
    """Is the mean above a bound? A two-sided t-test, significant if the interval excludes the bound."""
    p = found.p_above(bound)
    return TestResult(favours="supported" if p <= 0.5 else "contradicted", p=2 * min(p, 1 - p))


def below(found: Difference, bound: float) -> TestResult:
    """Is the mean below a bound? Like `above`."""
    p = found.p_above(bound)
    return TestResult(favours="supported" if p > 0.5 else "contradicted", p=2 * min(p, 1 - p))


def p_within(found: Difference, margin: float) -> float:
    """Two one-sided tests (Schuirmann 1987) that must both be significant: is the mean between −margin and +margin?"""
    return max(found.p_above(-margin), 1 - found.p_above(margin))


def within(found: Difference, margin: float) -> TestResult:
    """Is the mean within a margin of 0 (`p_within`)? Contradicted if a two-sided test puts it outside."""
    is_inside = p_within(found, margin)
    is_beyond = min(1.0, 2 * min(found.p_above(margin), 1 - found.p_above(-margin)))
    if is_inside <= is_beyond:
        return TestResult(favours="supported", p=is_inside)
    return TestResult(favours="contradicted", p=is_beyond)
