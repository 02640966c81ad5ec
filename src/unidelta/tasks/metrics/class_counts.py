"""Counts of labels per class, for F1 and Matthews' correlation."""

from collections.abc import Sequence

from unidelta.tasks.metrics.metric import Statistics


def counts(predictions: Sequence[int | str], references: Sequence[int | str]) -> list[Statistics]:
    """For each example and class: whether the class is predicted and correct, predicted, correct.

    The classes are those that occur, in order of name; the three numbers of a class are adjacent.
    """
    names = sorted({str(label) for label in (*predictions, *references)})
    place = {name: 3 * i for i, name in enumerate(names)}
    rows: list[Statistics] = []
    for predicted, right in zip(map(str, predictions), map(str, references), strict=True):
        row = [0] * (3 * len(names))
        row[place[predicted]] += predicted == right
        row[place[predicted] + 1] += 1
        row[place[right] + 2] += 1
        rows.append(tuple(row))
    return rows


def by_class(sums: Sequence[float]) -> list[tuple[float, float, float]]:
    """The sums over examples: (predicted and correct, predicted, correct) of each class."""
    return list(zip(sums[0::3], sums[1::3], sums[2::3], strict=True))
