"""Labels as numbers or names: how they are read, the order of the classes, and how predictions spell them."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

_WHOLE, _DECIMAL = re.compile(r"0|-?[1-9]\d{0,17}"), re.compile(r"-?(0|[1-9]\d*)?\.\d+")
_DIGITS = re.compile(r"[-+]?\d*\.?\d+")


def read_label(value: Any) -> Any:
    """A label in the same form for every format: a number given as text, as in CSV, becomes a number.

    A text such as 01 stays a text, which the number would not give back. An empty text becomes None, because formats
    without null cannot mark a missing label in any other way.
    """
    if not isinstance(value, str):
        return value
    if _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if _DECIMAL.fullmatch(value) else value or None


def label_names(values: Iterable[int | str]) -> tuple[str, ...]:
    """The names of the classes in order: numbers by value, then names in alphabetical order."""
    found = set(values)
    numbers = sorted(value for value in found if isinstance(value, int))
    return tuple(str(value) for value in (*numbers, *sorted(value for value in found if isinstance(value, str))))


@lru_cache(maxsize=16)  # asked for every row
def have_positions(names: tuple[str, ...]) -> bool:
    """Whether data may give the positions of these labels in their place: not if a name looks like a number itself."""
    return not any(map(_DIGITS.fullmatch, names))


def class_of(value: int | str, names: tuple[str, ...]) -> int | None:
    """The class of a label: the position of its name, or the label itself if it is a position; None for neither."""
    if str(value) in names:
        return names.index(str(value))
    return value if isinstance(value, int) and 0 <= value < len(names) and have_positions(names) else None


def spelled(classes: Sequence[int], names: tuple[str, ...], *, like: Iterable[int | str]) -> list[int | str]:
    """Classes in the spelling of the data.

    Args:
        classes: positions among `names`.
        names: of the classes.
        like: all labels of the data: if they are positions, so are the classes.
    """
    if have_positions(names) and all(isinstance(label, int) for label in like):
        return list(classes)
    return [read_label(name) for name in map(names.__getitem__, classes)]
