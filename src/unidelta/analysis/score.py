"""The score of several runs that differ by seed: mean, 95 % interval, and how many runs have none."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev
from typing import Any

from scipy.special import stdtrit

CONFIDENCE = 0.95
Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-math.inf, math.inf)
_PERCENT: Bounds = (0.0, 100.0)
_BOUNDS = {
    **dict.fromkeys(("rouge1", "rouge2", "rougeL", "rougeLsum", "bleu", "bleu_romanian"), _PERCENT),
    **dict.fromkeys(("rouge1_unicode", "rouge2_unicode", "rougeL_unicode", "rougeLsum_unicode"), _PERCENT),
    **dict.fromkeys(("accuracy", "mismatched", "chrf", "f1"), _PERCENT),
    "matthews": (-100.0, 100.0),
}


def bounds_of(metric: str) -> Bounds:
    """The least and the greatest score that a metric can give; unbounded for one that is not among this suite's."""
    return _BOUNDS.get(metric.removeprefix("raw_"), UNBOUNDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The scores of the runs of one design on one task.

    Args:
        values: the score of each complete run, in order of `seeds`.
        seeds: the seeds of these runs.
        n_failed: runs that failed.
        n_diverged: runs that diverged.
        n_interrupted: runs that were stopped and not resumed.
        run_ids: the run ids of the complete runs, in order of `seeds`.
        bounds: between which any score lies.
    """

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    n_failed: int = 0
    n_diverged: int = 0
    n_interrupted: int = 0
    run_ids: tuple[str, ...] = ()
    bounds: Bounds = UNBOUNDED

    @property
    def n(self) -> int:
        """Number of scores."""
        return len(self.values)

    @property
    def lost(self) -> str:
        """The runs without a score, e.g. `1 failed, 2 diverged`; "" if all completed."""
        counts = {"failed": self.n_failed, "diverged": self.n_diverged, "interrupted": self.n_interrupted}
        return ", ".join(f"{n} {how}" for how, n in counts.items() if n)

    def of_seeds(self, seeds: Collection[int]) -> "Score":
        """The scores of some seeds alone."""
        kept = [i for i, seed in enumerate(self.seeds) if seed in seeds]
        return replace(
            self,
            values=tuple(self.values[i] for i in kept),
            seeds=tuple(self.seeds[i] for i in kept),
            run_ids=tuple(self.run_ids[i] for i in kept) if self.run_ids else (),
        )

    @property
    def mean(self) -> float | None:
        """The mean; None if there are no scores."""
        return mean(self.values) if self.values else None

    @property
    def half_width(self) -> float | None:
        """Half the width of the 95 % t-interval of the mean; None for fewer than two scores."""
        return half_width(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % t-interval, cut off at what no score can be; None for fewer than two scores."""
        if self.half_width is None or self.mean is None:
            return None
        low, high = self.bounds
        return max(low, self.mean - self.half_width), min(high, self.mean + self.half_width)


def score_of_runs(runs: Sequence[Mapping[str, Any]], value: Callable[[Any], float], *, bounds: Bounds) -> Score:
    """The score of some runs, in their order: of those that are complete and have one; the others are counted.

    Args:
        runs: rows of a table of runs.
        value: what a complete run scored; NaN for no score.
        bounds: between which any score lies.
    """
    scored = [(run, value(run)) for run in runs if run["status"] == "complete"]
    there = [(run, score) for run, score in scored if not math.isnan(score)]
    n_of = Counter(run["status"] for run in runs)
    return Score(
        values=tuple(score for _, score in there),
        seeds=tuple(int(run["seed"]) for run, _ in there),
        run_ids=tuple(run["run_id"] for run, _ in there),
        n_failed=n_of["failed"],
        n_diverged=n_of["diverged"],
        n_interrupted=n_of["interrupted"],
        bounds=bounds,
    )


def score_in(column: str, runs: Sequence[Mapping[str, Any]]) -> Score:
    """The scores of some runs in a column of theirs, whatever their status; those without one do not count."""
    scored = [run for run in runs if not math.isnan(run[column])]
    return Score(values=tuple(run[column] for run in scored), seeds=tuple(run["seed"] for run in scored))


def half_width(values: Sequence[float], confidence: float = CONFIDENCE) -> float | None:
    """t(n − 1) · s / √n: half the width of the t-interval of a mean; None for fewer than two values.

    Args:
        values: independent values.
        confidence: the share of such intervals that contain the mean.
    """
    n = len(values)
    if n < 2:
        return None
    return float(stdtrit(n - 1, (1 + confidence) / 2)) * stdev(values) / math.sqrt(n)
