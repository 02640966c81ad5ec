"""Numbers and lists formatted for messages."""

from collections.abc import Sequence


def number(value: float | None) -> str:
    """A number as a user would type it: integers in full, others to six digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
