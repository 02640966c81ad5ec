"""Which tokens of a source a delta edits: `all`, `first:4`, `last:4`, or both ends, `first:4+last:4`."""

import re

ALL = "all"
_ENDS = re.compile(r"(?:first:([1-9][0-9]*))?(?:(\+)?last:([1-9][0-9]*))?")
_TURNED = re.compile(r"(last:[0-9]+)\+(first:[0-9]+)")


def canonical(tokens: object) -> str | None:
    """One spelling of what was typed, the first tokens before the last; None if it cannot be read."""
    text = _TURNED.sub(r"\2+\1", str(tokens).strip())
    found = _ENDS.fullmatch(text)
    is_read = found is not None and text and bool(found[2]) is bool(found[1] and found[3])
    return text if text == ALL or is_read else None


def ends(tokens: str) -> tuple[int, int]:
    """How many of the first and of the last tokens are edited.

    Args:
        tokens: in the spelling of `canonical`, not `all`.

    Raises:
        ValueError: another spelling.
    """
    found = _ENDS.fullmatch(tokens)
    if found is None:
        raise ValueError(f"`{tokens}` is not a choice of tokens.")
    return int(found[1] or 0), int(found[3] or 0)
