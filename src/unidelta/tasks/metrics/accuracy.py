"""Accuracy in percent: the share of correctly predicted labels."""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics, means


def measure(predictions: Sequence[int | str], references: Sequence[int | str]) -> list[Statistics]:
    """1 for every prediction equal to its reference, 0 for every other."""
    return [(int(predicted == right),) for predicted, right in zip(predictions, references, strict=True)]


ACCURACY = METRICS.register(
    Metric(
        name="accuracy",
        fits="label",
        keys=("accuracy",),
        headline="accuracy",
        measure=measure,
        combine=means("accuracy"),
        signature=lambda: "accuracy|percent",
    )
)
