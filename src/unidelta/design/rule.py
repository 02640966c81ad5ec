"""A rule: which deltas cannot be, and why."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.design.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: which deltas on a backbone it refuses, why they cannot be, and what to type instead."""

    name: str
    refuses: Callable[[DeltaSpec, "Architecture"], bool]
    why: str
    instead: str | Callable[[], str]  # a function where Python has other words than the command line

    def advice(self) -> str:
        """What to type instead."""
        return self.instead if isinstance(self.instead, str) else self.instead()


def lacks_positive_scale(part: DeltaSpec, _: "Architecture") -> bool:
    """Whether the factor of a composition that has one is not a finite number above 0."""
    return not 0 < part.scale < math.inf
