"""How words of the world are picked: by frequency in the tasks, evenly in pretraining text.

In the tasks a few words are used often and most of them seldom, as in any language: the word of rank r = 0, 1, … with a
probability proportional to 1 / (r + 9) (Zipf 1949, in Mandelbrot's form). The first words of a class of 512 are used
almost sixty times as often as the last: who learns from few examples knows the first ones, and who learns more gets
further down the tail.
"""

from bisect import bisect
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from random import Random

from unidelta.mini.world import Class

_OFFSET = 9

Pick = Callable[[Class, Random], int]
"""Picks a word of a class: its index."""


def by_frequency(words: Class, rng: Random) -> int:
    """As the tasks use words."""
    cumulative = _cumulative(len(words.words))
    return min(bisect(cumulative, rng.random() * cumulative[-1]), len(words.words) - 1)


def evenly(words: Class, rng: Random) -> int:
    """Any word, each equally often."""
    return int(rng.random() * len(words.words))


def evenly_told(words: Class, rng: Random) -> int:
    """A word whose facts pretraining text states, each equally often."""
    first = 2 * int(rng.random() * (len(words.words) // 2))
    return first if words.is_told[first] else first + 1


def told_by_frequency(words: Class, rng: Random) -> int:
    """A word whose facts pretraining text states: as often as it or its neighbour in frequency is used."""
    index = by_frequency(words, rng)
    return index if words.is_told[index] else index ^ 1


@cache
def _cumulative(n: int) -> tuple[float, ...]:
    return tuple(accumulate(1 / (rank + _OFFSET) for rank in range(n)))
