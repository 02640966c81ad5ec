"""Lengths of longest common subsequences against the table of dynamic programming."""

import random

import pytest

from unidelta.tasks.metrics.lcs import lcs_length


def by_table(one: str, other: str) -> int:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if a == b else max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]


@pytest.mark.parametrize(
    ("one", "other", "length"), [("", "", 0), ("abc", "", 0), ("abcbdab", "bdcaba", 4), ("aaa", "aa", 2)]
)
def test_by_hand(one: str, other: str, length: int) -> None:
    assert lcs_length(one, other) == length


def test_random_sequences() -> None:
    rng = random.Random(0)
    for _ in range(500):
        one, other = ("".join(rng.choices("abcd", k=rng.randrange(100))) for _ in range(2))
        assert lcs_length(one, other) == lcs_length(other, one) == by_table(one, other)
