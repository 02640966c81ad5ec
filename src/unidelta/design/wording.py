"""Numbers and lists as one would type or say them, for messages."""

from collections.abc import Sequence


def number(value: float | None) -> str:
    """As one would type it: integers in full, others to six digits."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def in_words(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
