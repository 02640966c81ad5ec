"""The bottleneck for a given budget, in closed form, without weights (He et al. 2022, Tables 9–11).

A budget is a share of the backbone's parameters, counted as the paper counts: matrices only. Counts are
proportional to the bottleneck, so the solution is a division, rounded to the nearest integer.
"""

import math
from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.count import matrix_count
from unidelta.design.form import FORMS
from unidelta.design.rules import other_slot
from unidelta.design.spec import Deltas, DeltaSpec, PromptTuning
from unidelta.design.wording import in_words
from unidelta.errors import DesignError

D = TypeVar("D", Deltas, PromptTuning)


def solve(design: D, architecture: Architecture, *, percent: float, flexible: Collection[Slot] = ()) -> D:
    """The design whose matrices are closest to a percentage of the backbone.

    Args:
        design: the design; bottlenecks of slots that are not flexible do not change.
        architecture: the backbone.
        percent: the budget in percent of the backbone's parameters, matrices only.
        flexible: the slots that share one solved bottleneck; irrelevant for prompt tuning.

    Raises:
        DesignError: the budget is not a percentage, or gives a bottleneck below 1 or above the limit of its slot.
    """
    asked = f"budget=percent budget.percent={percent:g} on {architecture.name}"
    if not (math.isfinite(percent) and 0 < percent < 100):
        raise DesignError(
            asked,
            "a budget is a percentage of the backbone's parameters, above 0 and below 100",
            "budget.percent=3.6, the paper's middle budget; method=full tunes everything",
        )
    if isinstance(design, Deltas) and not any(part.slot in flexible for part in design.parts):
        raise ValueError(f"No part of the design is at {', '.join(flexible)}.")
    if isinstance(design, Deltas) and not all(_is_countable(part, architecture) for part in design.parts):
        return design
    flexible = _with_bottleneck(design, flexible)
    if isinstance(design, Deltas) and not flexible:
        titles = in_words(list(dict.fromkeys(FORMS[part.form].title for part in design.parts)))
        why = f"{titles} has no bottleneck that a budget could choose: the backbone alone decides its size"
        raise DesignError(asked, why, "budget=paper, or a method with a bottleneck such as method=lora")
    per_unit, fixed, limit = _costs(design, architecture, flexible)
    bottleneck = _nearest((percent * architecture.n_parameters / 100 - fixed) / per_unit)
    least, most = (100 * (fixed + r * per_unit) / architecture.n_parameters for r in (1, limit))
    if bottleneck > limit:
        raise DesignError(
            asked,
            f"it would take a bottleneck of {bottleneck}; the slot can hold at most {limit}, which is {most:.4g} %",
            f"budget.percent={_floor_digits(most)} or less{other_slot(design)}",
        )
    if bottleneck < 1:
        raise DesignError(
            asked,
            f"that buys no bottleneck at all; 1 is the smallest and costs {least:.4g} % with the design's fixed parts",
            f"budget.percent={_ceil_digits(least)} or more",
        )
    if isinstance(design, PromptTuning):
        return replace(design, length=bottleneck)
    return replace(
        design,
        parts=tuple(replace(part, bottleneck=bottleneck) if part.slot in flexible else part for part in design.parts),
    )


def same_share(design: D, published: Architecture, architecture: Architecture) -> D:
    """The design on another backbone, each part with the share of parameters that it has on the published one.

    Every bottleneck is the nearest integer, at least 1 and at most the limit of its slot; one below 1 is left
    unchanged, to be refused.
    """
    scale = architecture.n_parameters / published.n_parameters
    if isinstance(design, PromptTuning) and design.length < 1:
        return design
    if isinstance(design, PromptTuning):
        length = design.length * published.width * scale / architecture.width
        return replace(design, length=min(max(1, _nearest(length)), architecture.max_positions))
    parts: list[DeltaSpec] = []
    for part in design.parts:
        if part.bottleneck < 1 or FORMS[part.form].size is None or not _is_countable(part, architecture):
            parts.append(part)
            continue
        unit = matrix_count(replace(part, bottleneck=1), architecture)
        bottleneck = _nearest(matrix_count(_known_there(part, published), published) * scale / unit)
        limit, _ = FORMS[part.form].capacity(part, architecture)
        parts.append(replace(part, bottleneck=min(max(1, bottleneck), limit)))
    return replace(design, parts=tuple(parts))


def _is_countable(part: DeltaSpec, architecture: Architecture) -> bool:
    """Whether a part has linear maps to be on, if its form is of them; one that has none is refused by the rules."""
    known = {target for site in architecture.at(part.slot) for target in site.targets}
    return FORMS[part.form].level != "linear" or (bool(part.targets) and known.issuperset(part.targets))


def _known_there(part: DeltaSpec, published: Architecture) -> DeltaSpec:
    """The part without the targets that the published backbone, of a different architecture, does not have."""
    known = {target for site in published.at(part.slot) for target in site.targets}
    return replace(part, targets=tuple(target for target in part.targets if target in known))


def _with_bottleneck(design: Deltas | PromptTuning, slots: Collection[Slot]) -> list[Slot]:
    """The slots among these whose form has a bottleneck."""
    parts = design.parts if isinstance(design, Deltas) else ()
    return [part.slot for part in parts if part.slot in slots and FORMS[part.form].size is not None]


def _costs(
    design: Deltas | PromptTuning, architecture: Architecture, flexible: Collection[Slot]
) -> tuple[int, int, int]:
    """Matrix parameters per unit of bottleneck, those of the fixed parts, and the largest bottleneck."""
    if isinstance(design, PromptTuning):
        return architecture.width, 0, architecture.max_positions
    free = [part for part in design.parts if part.slot in flexible]
    unit: list[DeltaSpec] = [replace(part, bottleneck=1) for part in free]
    return (
        sum(matrix_count(part, architecture) for part in unit),
        sum(matrix_count(part, architecture) for part in design.parts if part.slot not in flexible),
        min(FORMS[part.form].capacity(part, architecture)[0] for part in free),
    )


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)


def _floor_digits(percent: float) -> str:
    return f"{math.floor(percent * 100) / 100:g}"


def _ceil_digits(percent: float) -> str:
    return f"{math.ceil(percent * 10000) / 10000:g}"
