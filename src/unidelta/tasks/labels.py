"""Labels as numbers or names: how they are read, in which order they are classes, and how predictions spell them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

_WHOLE, _DECIMAL = re.compile(r"-?\d{1,18}"), re.compile(r"-?\d*\.\d+")


def read_label(value: Any) -> Any:
    """A label as every format has it: a number that stands as text, as in CSV, is that number.

    An empty text is None: formats without null have nothing else for a missing label.
    """
    if not isinstance(value, str):
        return value
    if _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if _DECIMAL.fullmatch(value) else value or None


def label_names(values: Iterable[int | str]) -> tuple[str, ...]:
    """The names of the classes in their order: numbers by value, before names by alphabet."""
    found = set(values)
    numbers = sorted(value for value in found if isinstance(value, int))
    return tuple(str(value) for value in (*numbers, *sorted(value for value in found if isinstance(value, str))))


def class_of(value: int | str, names: Sequence[str]) -> int | None:
    """The class of a label: the position of its name, or the label itself where it is a position. None for neither."""
    if str(value) in names:
        return names.index(str(value))
    return value if isinstance(value, int) and 0 <= value < len(names) else None


def spelled(classes: Sequence[int], names: Sequence[str], *, like: int | str) -> list[int | str]:
    """Classes as the data spells its labels.

    Args:
        classes: positions among `names`.
        names: of the classes.
        like: any label of the data: a name, a number that is a name, or a position.
    """
    if isinstance(like, int):
        return [read_label(names[i]) for i in classes] if str(like) in names else list(classes)
    return [read_label(names[i]) for i in classes]
