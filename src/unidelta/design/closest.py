"""Which of several tuned designs is the most similar to another one: what is tuned, then how much of it."""

import math
from collections.abc import Mapping

from unidelta.design.composition import COMPOSITIONS
from unidelta.design.spec import Deltas, Design


def kind_of(design: Design) -> str:
    """What is tuned, in words: places and compositions of deltas, such as `attn gated + ffn scaled 4`.

    It is `all` for a method without places.
    """
    if not isinstance(design, Deltas):
        return "all"
    return " + ".join(
        f"{part.slot} {part.composition}{f' {part.scale:g}' if COMPOSITIONS[part.composition].reads_scale else ''}"
        for part in design.parts
    )


def closest(tuned: Mapping[str, Mapping[float, float]], kind: str, percent: float) -> float:
    """The rate of the closest kind, and of it the closest size, measured by the ratio of the percentages.

    The closest kind is the same, or else one at the same places, or else any.

    Args:
        tuned: rates by kind and percent, at least one of each.
        kind: from `kind_of`.
        percent: share of the backbone's parameters.
    """
    same = [name for name in tuned if name == kind] or [name for name in tuned if _places(name) == _places(kind)]
    rates = tuned[(same or list(tuned))[0]]
    return rates[min(rates, key=lambda size: abs(math.log(size / percent)))]


def _places(kind: str) -> list[str]:
    return [part.split()[0] for part in kind.split(" + ")]
