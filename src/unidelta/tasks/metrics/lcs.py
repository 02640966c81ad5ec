"""The length of a longest common subsequence, for rougeL (Lin 2004), with bit-vectors (Hyyrö 2004)."""

from collections.abc import Hashable, Sequence


def lcs_length(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence of two sequences.

    The dynamic-programming table has a bit for each item of `one`, and a step for each item of `other`.
    """
    places: dict[Hashable, int] = {}
    for i, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << i
    full = (1 << len(one)) - 1
    row = full  # a zero bit where the length grows
    for item in other:
        here = row & places.get(item, 0)
        row = (row + here | row - here) & full
    return len(one) - row.bit_count()
