"""Accuracy in percent: the share of labels predicted exactly."""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import Metric, check_pairs


def score(predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
    """Percent of predictions equal to their reference."""
    check_pairs(predictions, references)
    n_right = sum(predicted == right for predicted, right in zip(predictions, references, strict=True))
    return {"accuracy": 100 * n_right / len(references)}


def signature() -> str:
    """Accuracy has one definition; the signature only says its unit."""
    return "accuracy|percent"


ACCURACY = Metric(name="accuracy", keys=("accuracy",), score=score, signature=signature)
