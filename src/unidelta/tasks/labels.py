"""Labels as numbers or names: how they are read, the order of the classes, and how predictions spell them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

_WHOLE, _DECIMAL = re.compile(r"-?\d{1,18}"), re.compile(r"-?\d*\.\d+")


def read_label(value: Any) -> Any:
    """A label in the same form for every format: a number given as text, as in CSV, becomes a number.

    An empty text becomes None, because formats without null cannot mark a missing label in any other way.
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


def class_of(value: int | str, names: Sequence[str]) -> int | None:
    """The class of a label: the position of its name, or the label itself if it is a position; None for neither."""
    if str(value) in names:
        return names.index(str(value))
    return value if isinstance(value, int) and 0 <= value < len(names) else None


def spelled(classes: Sequence[int], names: Sequence[str], *, like: int | str) -> list[int | str]:
    """Classes in the spelling of the data.

    Args:
        classes: positions among `names`.
        names: of the classes.
        like: any label of the data: a name, a number that is a name, or a position.
    """
    if isinstance(like, int):
        return [read_label(names[i]) for i in classes] if str(like) in names else list(classes)
    return [read_label(names[i]) for i in classes]
