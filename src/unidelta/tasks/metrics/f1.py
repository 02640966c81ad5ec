"""F1 in percent, macro-averaged: the mean over classes of 2·TP / (predicted + correct), with equal weights.

The classes are those that occur among predictions or references, as in scikit-learn's `f1_score(average="macro")`.
"""

from collections.abc import Sequence

from unidelta.tasks.metrics.class_counts import by_class, counts
from unidelta.tasks.metrics.metric import METRICS, Metric


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """Mean F1 × 100 over the classes that occur."""
    scores = [
        2 * both / (predicted + right) for both, predicted, right in by_class(sums) if predicted + right  # 0 / 0
    ]  # fmt: skip
    return {"f1": 100 * sum(scores) / len(scores)}


F1 = METRICS.register(
    Metric(
        name="f1",
        fits="label",
        keys=("f1",),
        headline="f1",
        measure=counts,
        combine=combine,
        signature=lambda: "f1|average:macro|percent",
    )
)
