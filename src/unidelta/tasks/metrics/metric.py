"""What a metric is: a pure function from predictions and references to named numbers, and its signature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A named scorer. All scores are on the scale 0 to 100, as the paper prints them.

    Args:
        name: the metric's name.
        keys: names of the numbers `score` returns.
        score: maps predictions and references of equal length (at least one) to those numbers.
        signature: says which implementation, version and settings made the numbers.
    """

    name: str
    keys: tuple[str, ...]
    score: Callable[[Sequence[Any], Sequence[Any]], dict[str, float]]
    signature: Callable[[], str]


def check_pairs(predictions: Sequence[Any], references: Sequence[Any]) -> None:
    """Refuse an empty or unequal pair of lists.

    Raises:
        ValueError: the lists are empty or differ in length; both are mistakes of the calling code.
    """
    if len(predictions) != len(references):
        raise ValueError(f"{len(predictions)} predictions do not match {len(references)} references.")
    if not predictions:
        raise ValueError("A score of no predictions does not exist.")
