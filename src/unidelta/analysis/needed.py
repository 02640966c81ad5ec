"""How many seeds a difference needs: the least n with which a t-test finds it four times in five."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from scipy.special import nctdtr, ndtr, stdtrit

POWER = 0.8
MOST = 10_000


def seeds_needed(distance: float, deviations: Sequence[float], *, level: float = 0.05) -> int | None:
    """The least number of seeds with which the t-test against a bound has a power of 80 %; None beyond 10,000.

    Mean and standard deviations are taken as they were measured, which few runs do badly: an order of magnitude.

    Args:
        distance: of the mean of the differences from the bound, in points.
        deviations: the standard deviation of the paired differences, or of each side without pairs (Welch); not all 0.
        level: of the two-sided test; twice the level of a one-sided one.
    """
    deviation = math.hypot(*deviations)
    freedom = _freedom(deviations)

    def power_of(n: int) -> float:
        return power(distance / deviation * math.sqrt(n), (n - 1) * freedom, level)

    return _least(power_of)


def seeds_needed_within(mean: float, margin: float, deviations: Sequence[float], *, level: float = 0.05) -> int | None:
    """The least number of seeds with which two one-sided t-tests show a difference within ± margin four times in five.

    Both tests have to be significant: power ≥ P₁ + P₂ − 1, which is close to it at this power. None beyond 10,000.

    Args:
        mean: of the differences, in points, at most the margin.
        margin: in points.
        deviations: as in `seeds_needed`.
        level: of each of the two tests.
    """
    deviation = math.hypot(*deviations)
    freedom = _freedom(deviations)

    def power_of(n: int) -> float:
        each = (
            power(side / deviation * math.sqrt(n), (n - 1) * freedom, 2 * level)
            for side in (margin - mean, margin + mean)
        )
        return sum(each) - 1

    return _least(power_of)


def _freedom(deviations: Sequence[float]) -> float:
    """Satterthwaite's degrees of freedom, over n − 1."""
    return math.hypot(*deviations) ** 4 / sum(one**4 for one in deviations)


def power(shift: float, freedom: float, level: float) -> float:
    """The probability that a two-sided t-test is significant.

    Args:
        shift: the true mean over its standard error.
        freedom: degrees of freedom.
        level: of the test.
    """
    critical, shift = float(stdtrit(freedom, 1 - level / 2)), abs(shift)
    found = float(1 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical))
    # nctdtr fails at some shifts above 10, where the statistic is nearly normal about the shift
    return float(ndtr(shift - critical)) if math.isnan(found) else found


def _least(power_of: Callable[[int], float]) -> int | None:
    n = 2 + bisect_left(range(2, MOST + 1), POWER, key=power_of)
    return n if n <= MOST else None


def needed_text(n: int | None) -> str:
    """`7`, or `> 10,000`."""
    return f"> {MOST:,}" if n is None else f"{n:,}"
