"""How many seeds a difference needs: the least n with which a t-test finds it four times in five."""

import math
from collections.abc import Callable

from scipy.special import nctdtr, stdtrit

POWER = 0.8
MOST = 10_000


def pairs_needed(distance: float, deviation: float, *, level: float = 0.05) -> int | None:
    """The least number of pairs with which the t-test against a bound has a power of 80 %; None beyond 10,000.

    Mean and standard deviation are taken as they were measured, which few pairs do badly: an order of magnitude.

    Args:
        distance: of the mean of the differences from the bound, in points.
        deviation: the standard deviation of the differences.
        level: of the two-sided test; twice the level of a one-sided one.
    """
    return _least(lambda n: power(distance / deviation * math.sqrt(n), n - 1, level), distance, deviation)


def seeds_needed(distance: float, deviations: tuple[float, float], *, level: float = 0.05) -> int | None:
    """The same for two sides without common seeds (Welch): the least number of seeds of each."""
    first, second = deviations
    deviation = math.hypot(first, second)

    def power_of(n: int) -> float:
        freedom = (n - 1) * deviation**4 / (first**4 + second**4)  # Welch and Satterthwaite, n of each
        return power(distance / deviation * math.sqrt(n), freedom, level)

    return _least(power_of, distance, deviation)


def power(shift: float, freedom: float, level: float) -> float:
    """The probability that a two-sided t-test is significant.

    Args:
        shift: the true mean over its standard error.
        freedom: degrees of freedom.
        level: of the test.
    """
    critical, shift = float(stdtrit(freedom, 1 - level / 2)), abs(shift)
    if shift > 30:  # beyond what nctdtr computes, and certain
        return 1.0
    return float(1 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical))


def _least(power_of: Callable[[int], float], distance: float, deviation: float) -> int | None:
    if distance == 0:
        return None
    if deviation == 0 or power_of(2) >= POWER:
        return 2
    enough = 4
    while power_of(enough) < POWER:
        enough *= 2
        if enough > MOST:
            return None
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (too_few, middle) if power_of(middle) >= POWER else (middle, enough)
    return enough


def needed_text(n: int | None) -> str:
    """`7`, or `> 10,000`."""
    return f"> {MOST:,}" if n is None else f"{n:,}"
