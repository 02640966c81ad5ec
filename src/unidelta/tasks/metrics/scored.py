"""Predictions scored: against references and raw references, whole or the first few, with intervals.

References are what the authors score against: labels decoded again, cut where the labels were cut. Raw references are
the data set's own text. Every number against the latter has `raw_` before its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unidelta.tasks.metrics.metric import Metric, Statistics, check_pairs, total

RAW = "raw_"
N_RESAMPLES = 1000
SEED = 0
INTERVALS = "interval95"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The statistics of one or more metrics in every example.

    Args:
        metrics: the metrics.
        statistics: by what stands before the names of the numbers ("" against references, `raw_` against raw
            references) and metric, a row per example in the order of the predictions.
    """

    metrics: tuple[Metric, ...]
    statistics: Mapping[str, Sequence[Sequence[Statistics]]]

    def scores(self, first: int | None = None) -> dict[str, float]:
        """The metrics' numbers, 0 to 100, of the first examples or of all."""
        found: dict[str, float] = {}
        for prefix, metric, rows in self._each():
            part = rows[:first]
            found |= {prefix + key: value for key, value in metric.combine(total(part), len(part)).items()}
        return found

    def per_example(self, i: int) -> dict[str, float]:
        """The numbers of one example against its reference, of those metrics that have any."""
        found: dict[str, float] = {}
        for metric, rows in zip(self.metrics, self.statistics[""], strict=True):
            if metric.per_example is not None:
                found |= metric.per_example(rows[i])
        return found

    def intervals(
        self, first: int | None = None, *, seed: int = SEED, n_resamples: int = N_RESAMPLES
    ) -> dict[str, list[float]]:
        """95 % percentile intervals, [low, high], of the same numbers over examples drawn anew with replacement.

        They say how far a score would move with other test examples, and nothing about another training run.

        Args:
            first: as of `scores`.
            seed: of the draws; equal seeds draw equal examples for every number.
            n_resamples: draws.
        """
        import numpy as np  # late: planning needs no arrays

        found: dict[str, list[float]] = {}
        for prefix, metric, rows in self._each():
            matrix = np.asarray(rows[:first], dtype=np.float64)
            n, rng = len(matrix), np.random.default_rng(seed)
            sums = (matrix[rng.integers(n, size=n)].sum(axis=0).tolist() for _ in range(n_resamples))
            drawn = [metric.combine(values, n) for values in sums]
            for key in metric.keys:
                found[prefix + key] = np.percentile([scores[key] for scores in drawn], (2.5, 97.5)).tolist()
        return found

    def report(self, first: int | None = None) -> dict[str, Any]:
        """What a record says of a split: the numbers, `n` examples and `interval95`, an interval for each number."""
        return {**self.scores(first), "n": len(self.statistics[""][0][:first]), INTERVALS: self.intervals(first)}

    def _each(self) -> Iterator[tuple[str, Metric, Sequence[Statistics]]]:
        for prefix, of_metrics in self.statistics.items():
            for metric, rows in zip(self.metrics, of_metrics, strict=True):
                yield prefix, metric, rows


def scored(
    metrics: Sequence[Metric],
    predictions: Sequence[Any],
    references: Sequence[Any],
    raw_references: Sequence[Any] | None = None,
) -> Scored:
    """Measure every prediction, once where reference and raw reference are equal.

    Raises:
        ValueError: the lists are empty or differ in length; both are mistakes of the calling code.
    """
    check_pairs(predictions, references)
    statistics = {"": [metric.measure(predictions, references) for metric in metrics]}
    if raw_references is not None:
        check_pairs(predictions, raw_references)
        others = [i for i, right in enumerate(references) if raw_references[i] != right]
        statistics[RAW] = []
        for metric, known in zip(metrics, statistics[""], strict=True):
            rows = list(known)
            measured = metric.measure([predictions[i] for i in others], [raw_references[i] for i in others])
            for i, row in zip(others, measured, strict=True):
                rows[i] = row
            statistics[RAW].append(rows)
    return Scored(metrics=tuple(metrics), statistics=statistics)


def signature(metrics: Sequence[Metric]) -> str:
    """The signatures of some metrics as one text, for the record."""
    return "; ".join(metric.signature() for metric in metrics)


def interval_signature(seed: int = SEED, n_resamples: int = N_RESAMPLES) -> str:
    """How intervals are made, for the record."""
    return f"bootstrap:percentile|over:examples|level:95|resamples:{n_resamples}|seed:{seed}"


def told(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a split that are printed at the end of a run: the record has the raw ones and intervals too."""
    return {key: value for key, value in values.items() if key not in ("n", INTERVALS) and not key.startswith(RAW)}
