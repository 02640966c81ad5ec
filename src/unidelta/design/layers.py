"""Which layers of each stack have a delta: `all`, `first:4`, `last:2`, or indices from 0, `0,5`."""

import re
from collections.abc import Sequence
from typing import cast

_RUN = re.compile(r"(first|last):([1-9][0-9]*)")


def canonical(layers: object) -> str | None:
    """One spelling of what was typed, so that equal selections are one design; None if it cannot be read.

    Args:
        layers: `all`, `first:N`, `last:N`, one index, or several, as a list or separated by commas.
    """
    if isinstance(layers, str | int):
        text = str(layers)
    elif isinstance(layers, Sequence):
        text = ",".join(map(str, cast("Sequence[object]", layers)))
    else:
        return None
    if text == "all" or _RUN.fullmatch(text):
        return text
    indices = [word.strip() for word in text.strip("[]").split(",")]
    if not all(word.isdecimal() for word in indices) or len(set(map(int, indices))) < len(indices):
        return None
    return ",".join(map(str, sorted(map(int, indices))))


def indices(layers: str, n_layers: int) -> frozenset[int]:
    """The layers selected in a stack of `n_layers`; indices beyond it select nothing.

    Args:
        layers: in the spelling of `canonical`.
        n_layers: depth of the stack.
    """
    run = _RUN.fullmatch(layers)
    if layers == "all":
        return frozenset(range(n_layers))
    if run is not None:
        n = min(int(run[2]), n_layers)
        return frozenset(range(n) if run[1] == "first" else range(n_layers - n, n_layers))
    return frozenset(map(int, layers.split(","))) & frozenset(range(n_layers))


def largest(layers: str) -> int:
    """The number of layers that a stack needs to have everything that is named; 1 for `all`."""
    run = _RUN.fullmatch(layers)
    if layers == "all":
        return 1
    return int(run[2]) if run is not None else 1 + max(map(int, layers.split(",")))
