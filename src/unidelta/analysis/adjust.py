"""Which of many tests count: Holm within a group, Benjamini and Hochberg over the groups."""

from collections.abc import Mapping, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979), which bound the family-wise error rate of a group."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def share_selected(groups: Mapping[str, Sequence[float]], level: float) -> float:
    """The share of the groups that the procedure of Benjamini and Hochberg (1995) selects by their smallest p-value.

    Within a selected group a test counts if its adjusted p-value is at most `level` times this share (Benjamini and
    Bogomolov 2014): the error rate is then controlled in each group, on average over the selected ones, and over all of
    them together if no null hypothesis is false.

    Args:
        groups: adjusted p-values by group; empty groups do not count.
        level: of the whole.
    """
    smallest = sorted(min(values) for values in groups.values() if values)
    selected = [rank for rank, p in enumerate(smallest, start=1) if p <= level * rank / len(smallest)]
    return max(selected, default=0) / max(1, len(smallest))
