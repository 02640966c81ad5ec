"""Scores of predictions: against references and raw references, on all or the first examples, with intervals.

References are what the authors score against: decoded label ids, truncated like the labels. Raw references are the
data set's text. The name of every score against raw references starts with `raw_`.
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
    """The statistics of one or more metrics for every example.

    Args:
        metrics: the metrics.
        statistics: by the prefix of the scores' names ("" against references, `raw_` against raw references) and
            by metric: one row per example, in the order of the predictions.
    """

    metrics: tuple[Metric, ...]
    statistics: Mapping[str, Sequence[Sequence[Statistics]]]

    def scores(self, first: int | None = None) -> dict[str, float]:
        """The metrics' scores, 0 to 100, of the first examples or of all."""
        found: dict[str, float] = {}
        for prefix, metric, rows in self._each():
            part = rows[:first]
            found |= {prefix + key: value for key, value in metric.scores(total(part), len(part)).items()}
        return found

    def per_example(self, i: int) -> dict[str, float]:
        """The scores of one example against its reference, for the metrics that score single examples."""
        found: dict[str, float] = {}
        for metric, rows in zip(self.metrics, self.statistics[""], strict=True):
            if metric.scores_examples:
                found |= metric.combine(rows[i], 1)
        return found

    def intervals(
        self, first: int | None = None, *, seed: int = SEED, n_resamples: int = N_RESAMPLES
    ) -> dict[str, list[float]]:
        """95 % percentile bootstrap intervals, [low, high], of the same scores over examples.

        They measure how a score varies with the test examples, not with the training run.

        Args:
            first: as in `scores`.
            seed: of the resampling; with equal seeds every score uses the same resamples.
            n_resamples: number of resamples.
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
        """A split's entry in a record: the scores, the number of examples `n`, and `interval95` for each score."""
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
    """Measure every prediction.

    Raises:
        ValueError: the lists are empty or differ in length; both are mistakes of the calling code.
    """
    check_pairs(predictions, references)
    statistics: dict[str, Sequence[Sequence[Statistics]]] = {
        "": [metric.measure(predictions, references) for metric in metrics]
    }
    if raw_references is not None:
        check_pairs(predictions, raw_references)
        statistics[RAW] = [
            _measured_again(metric, known, predictions, references, raw_references)
            for metric, known in zip(metrics, statistics[""], strict=True)
        ]
    return Scored(metrics=tuple(metrics), statistics=statistics)


def _measured_again(
    metric: Metric,
    known: Sequence[Statistics],
    predictions: Sequence[Any],
    references: Sequence[Any],
    raw_references: Sequence[Any],
) -> Sequence[Statistics]:
    """The statistics against raw references, where texts are measured only if the raw reference is another one."""
    if metric.fits == "label":  # counts per class have a column for each class that occurs in the lists given
        return metric.measure(predictions, raw_references)
    others = [i for i, reference in enumerate(references) if raw_references[i] != reference]
    rows = list(known)
    measured = metric.measure([predictions[i] for i in others], [raw_references[i] for i in others])
    for i, row in zip(others, measured, strict=True):
        rows[i] = row
    return rows


def signature(metrics: Sequence[Metric]) -> str:
    """The signatures of some metrics as one text, for the record."""
    return "; ".join(metric.signature() for metric in metrics)


def interval_signature() -> str:
    """How intervals are computed, for the record."""
    return f"bootstrap:percentile|over:examples|level:95|resamples:{N_RESAMPLES}|seed:{SEED}"


def printed_scores(values: Mapping[str, Any]) -> dict[str, float]:
    """The scores of a split that a run prints at its end; the record also has the raw ones, intervals and parts."""
    numbers = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    return {key: value for key, value in numbers.items() if key != "n" and not key.startswith(RAW)}
