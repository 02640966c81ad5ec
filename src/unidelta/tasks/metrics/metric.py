"""A metric: a pure function from predictions and references to named scores, and its signature.

It has two parts, `measure` for each example and `combine` for their sum, so that the same statistics give the
score of all examples, of the first ones and of any resample.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from unidelta.errors import ConfigError
from unidelta.extensions.origin import origin
from unidelta.extensions.registry import Registry
from unidelta.tasks.kind import Output

Statistics: TypeAlias = tuple[float, ...]
"""One example's contribution to a score; scores are functions of the sum over examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named metric. All scores are on the scale 0 to 100, as in the paper.

    Args:
        name: the metric's name, as used in `task.metrics`.
        fits: what it compares: texts or labels.
        keys: names of its scores.
        headline: the score shown in tables.
        measure: the statistics of each example, from predictions and references of equal length; equally many of each.
        combine: the scores, from the sum of the statistics and the number of examples (at least one).
        signature: names the implementation, version and settings.
        scores_examples: whether it has a meaning for a single example, too, and is in the predictions file.
        reads: whether it finds anything to compare in a text; None for one that reads every text.
        higher_is_better: whether higher is better.
    """

    name: str
    fits: Output
    keys: tuple[str, ...]
    headline: str
    measure: Callable[[Sequence[Any], Sequence[Any]], list[Statistics]]
    combine: Callable[[Sequence[float], int], Mapping[str, float]]
    signature: Callable[[], str]
    scores_examples: bool = False
    reads: Callable[[str], bool] | None = None
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        """Raises ConfigError: the headline is not among the scores."""
        if self.headline not in self.keys:
            asked = f"the metric `{self.name}` of {origin().file}"
            why = f"its headline `{self.headline}` is not a score"
            raise ConfigError(asked, why, f"headline= one of its keys: {', '.join(self.keys)}")

    def scores(self, sums: Sequence[float], n: int) -> dict[str, float]:
        """What `combine` gives.

        Raises:
            ConfigError: it gives other scores than `keys` says.
        """
        found = dict(self.combine(sums, n))
        if set(found) != set(self.keys):
            why = f"combine gives {', '.join(found) or 'nothing'}, and keys says {', '.join(self.keys)}"
            raise ConfigError(f"the metric `{self.name}` of {METRICS.file_of(self.name)}", why, "the same in both")
        return found

    def score(self, predictions: Sequence[Any], references: Sequence[Any]) -> dict[str, float]:
        """The metric's scores of all examples.

        Raises:
            ValueError: the lists are empty or differ in length; both are mistakes of the calling code.
            ConfigError: as `scores`.
        """
        check_pairs(predictions, references)
        return self.scores(total(self.measure(predictions, references)), len(references))


METRICS: Registry[Metric] = Registry(Metric, "metric", package="unidelta.tasks.metrics")
"""Every metric by name."""


def total(statistics: Iterable[Statistics]) -> list[float]:
    """The sum over examples, in order."""
    first, *others = statistics
    sums = list(first)
    for row in others:
        for i, value in enumerate(row):
            sums[i] += value
    return sums


def means(*keys: str) -> Callable[[Sequence[float], int], dict[str, float]]:
    """A metric's `combine`: scores that are the means of the statistics, × 100."""
    return lambda sums, n: {key: 100 * value / n for key, value in zip(keys, sums, strict=True)}


def check_pairs(predictions: Sequence[Any], references: Sequence[Any]) -> None:
    """Refuse an empty or unequal pair of lists.

    Raises:
        ValueError: the lists are empty or differ in length; both are mistakes of the calling code.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions do not match {len(references)} references.")
    if not predictions:
        raise ValueError("A score of no predictions does not exist.")
