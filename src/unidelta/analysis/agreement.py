"""How many pairs runs order as the paper does, and how many could be at best.

The share of pairs with the right sign is the *decision accuracy* of Magnusson et al. (2025, DataDecide).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy.special import betaincinv, ndtr

from unidelta.analysis.difference import EQUAL, difference
from unidelta.analysis.paper_pairs import Pair
from unidelta.analysis.runs import Runs
from unidelta.analysis.score import CONFIDENCE

Interval = tuple[float, float]
_N_RESAMPLES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What runs say of a pair.

    Args:
        pair: the pair.
        difference: of mean scores, in points; above 0 if the order is the paper's.
        half_width: of its 95 % interval (Welch); None if a side has a single run, or nothing differs between seeds.
    """

    pair: Pair
    difference: float
    half_width: float | None

    @property
    def right(self) -> float:
        """1 if the order is the paper's, 0 if it is the other, 0.5 if the means are equal."""
        return 0.5 if self.difference == 0 else float(self.difference > 0)

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.half_width is not None and abs(self.difference) > self.half_width

    @property
    def paper_errors(self) -> float | None:
        """The paper's margin in standard errors; None if the paper prints no standard deviation for the metric."""
        return None if self.pair.error is None else self.pair.margin / self.pair.error

    @property
    def is_clear_in_paper(self) -> bool | None:
        """Whether the paper's margin is larger than twice its standard error; None if that is not known."""
        return None if self.paper_errors is None else self.paper_errors > 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How many of several pairs are right.

    Args:
        right: right pairs; a tie is half of one.
        n: pairs.
        interval: 95 %, of Clopper and Pearson: as if the pairs were independent.
        over_designs: 95 %, of a bootstrap over designs; None where no resample differs, as when all pairs are right.
        repeated: the expected share of these pairs that the paper's experiment, repeated, would order as the paper
            prints them; None if the paper prints no standard deviation for any.
        known: the expected share that somebody who knew the true order would order so.
    """

    right: float
    n: int
    interval: Interval
    over_designs: Interval | None
    repeated: float | None
    known: float | None

    @property
    def share(self) -> float:
        """Right pairs as a fraction of all."""
        return self.right / self.n


def ordered(pairs: Iterable[Pair], runs: Runs) -> tuple[list[Ordered], list[Pair]]:
    """What the runs say of each pair; and the pairs of which a side has no complete run."""
    found: list[Ordered] = []
    missing: list[Pair] = []
    for pair in pairs:
        scores = (runs.score(side.key, pair.task, pair.metric) for side in pair.sides)
        found_here = difference(*scores, test="Welch")
        if found_here.mean is None:
            missing.append(pair)
        else:
            mean = zero_if_tied(found_here.mean)
            found.append(Ordered(pair=pair, difference=mean, half_width=found_here.half_width))
    return found, missing


def zero_if_tied(difference: float) -> float:
    """A difference of means, in points; 0 for what rounding alone could make."""
    return 0.0 if abs(difference) < EQUAL else difference


def accuracy(found: Sequence[Ordered], *, seed: int) -> Accuracy:
    """How many of the pairs are right.

    Args:
        found: one pair or more.
        seed: of the bootstrap.
    """
    right = sum(one.right for one in found)
    return Accuracy(
        right=right,
        n=len(found),
        interval=clopper_pearson(right, len(found)),
        over_designs=bootstrap(found, seed=seed),
        repeated=_expected(found, same_again),
        known=_expected(found, truly_so),
    )


def same_again(errors: float) -> float:
    """The probability that an independent repeat of a measurement has the same sign.

    Let d be the true difference, and the paper's m and the repeat's m′ be normal around it with the standard error σ.
    Knowing nothing else of d (a flat prior), d is normal around m with σ, and so m′ is normal around m with √2 σ:
    P(m′ > 0) = Φ(m / (√2 σ)).

    Args:
        errors: m / σ, above 0.
    """
    return float(ndtr(errors / math.sqrt(2)))


def truly_so(errors: float) -> float:
    """The probability that the true difference has the measured sign, with the same assumptions: Φ(m / σ)."""
    return float(ndtr(errors))


def clopper_pearson(right: float, n: int) -> Interval:
    """The 95 % interval of a share, by quantiles of the beta distribution, which halves of a pair have too."""
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(right, n - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, n - right, 1 - tail)) if right < n else 1.0
    return low, high


def bootstrap(found: Sequence[Ordered], *, seed: int) -> Interval | None:
    """The 95 % percentile interval of the share over resamples of the designs.

    As many designs as there are are drawn with replacement, and a pair counts as often as its designs occur together:
    the product of how often each was drawn. Resamples without any pair are left out.

    Args:
        found: one pair or more.
        seed: of the draws.

    Returns:
        The interval; None if every resample has the same share, of which nothing follows.
    """
    designs = sorted({design for one in found for design in one.pair.designs})
    draws = np.random.default_rng(seed)
    drawn = draws.multinomial(len(designs), [1 / len(designs)] * len(designs), size=_N_RESAMPLES)
    times = dict(zip(designs, np.ascontiguousarray(drawn.T, dtype=float), strict=True))  # how often, in each resample
    n, right = np.zeros(_N_RESAMPLES), np.zeros(_N_RESAMPLES)
    for one in found:
        weight = math.prod(times[design] for design in one.pair.designs)
        n += weight
        right += weight * one.right
    shares = right[n > 0] / n[n > 0]
    if shares.min() == shares.max():
        return None
    low, high = np.quantile(shares, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _expected(found: Sequence[Ordered], probability: Callable[[float], float]) -> float | None:
    known = [one.paper_errors for one in found if one.paper_errors is not None]
    return fmean(map(probability, known)) if known else None
