"""Matthews' correlation × 100, in Gorodkin's form for any number of classes (2004); 0 where one side is constant.

100 is perfect, 0 is chance, negative is worse than chance.
"""

from collections.abc import Sequence
from math import sqrt

from unidelta.tasks.metrics.class_counts import by_class, counts
from unidelta.tasks.metrics.metric import METRICS, Metric


def combine(sums: Sequence[float], n: int) -> dict[str, float]:
    """(n·c − Σ p·t) / √((n² − Σ p²)(n² − Σ t²)): c correct of n; p and t count predictions and labels of a class."""
    classes = by_class(sums)
    n_right = sum(both for both, _, _ in classes)
    chance = sum(predicted * right for _, predicted, right in classes)
    spreads = [n * n - sum(row[i] ** 2 for row in classes) for i in (1, 2)]
    if not all(spreads):
        return {"matthews": 0.0}
    return {"matthews": 100 * (n * n_right - chance) / sqrt(spreads[0] * spreads[1])}


MATTHEWS = METRICS.register(
    Metric(
        name="matthews",
        fits="label",
        keys=("matthews",),
        headline="matthews",
        measure=counts,
        combine=combine,
        signature=lambda: "matthews|percent",
    )
)
