"""Accuracy in percent: the share of correctly predicted labels."""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import METRICS, Metric, Statistics


def measure(predictions: Sequence[int | str], references: Sequence[int | str]) -> list[Statistics]:
    """1 for every prediction equal to its reference, 0 for every other."""
    return [(int(predicted == right),) for predicted, right in zip(predictions, references, strict=True)]


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """Percent of predictions equal to their reference."""
    return {"accuracy": 100 * sums[0] / n}


def signature() -> str:
    """Accuracy has one definition; the signature only states its unit."""
    return "accuracy|percent"


ACCURACY = METRICS.register(
    Metric(
        name="accuracy",
        fits="label",
        keys=("accuracy",),
        headline="accuracy",
        measure=measure,
        combine=combine,
        signature=signature,
    )
)
