"""The bottleneck for a given budget, in closed form, without weights (He et al. 2022, Tables 9–11).

A budget is a share of the backbone's parameters, counted as the paper counts: matrices only. Counts never decrease with
the bottleneck, so the solution is found by bisection; of two that are as near, the larger.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.count import matrix_count
from unidelta.design.form import FORMS
from unidelta.design.rules import known_targets, other_slot
from unidelta.design.spec import Deltas, DeltaSpec, PromptTuning, parts_of
from unidelta.design.wording import in_words, no_budget, typed_budget, typed_sizes
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
    asked = f"{typed_budget(percent=percent)} on {architecture.name}"
    if not 0 < percent < 100:
        raise DesignError(
            asked,
            "a budget is a percentage of the backbone's parameters, above 0 and below 100",
            f"{typed_sizes({'percent': 3.6})}, the paper's middle budget; method=full tunes everything",
        )
    parts = parts_of(design)
    if parts and not any(part.slot in flexible for part in parts):
        raise ValueError(f"No part of the design is at {', '.join(flexible)}.")
    if not all(_is_countable(part, architecture) for part in parts):
        return design
    free = [part for part in parts if part.slot in flexible and FORMS[part.form].size is not None]
    if parts and not free:
        titles = in_words(list(dict.fromkeys(FORMS[part.form].title for part in parts)))
        why = f"{titles} has no bottleneck that a budget could choose: the backbone alone decides its size"
        raise DesignError(asked, why, f"{no_budget()}, or a method with a bottleneck such as method=lora")
    sizes, cost = _sizes(design, architecture, free)
    if not sizes:
        slots = in_words([part.slot for part in free])
        raise DesignError(
            asked,
            f"no one bottleneck fits {slots}: the smallest at one is above the largest at another",
            f"{typed_budget(attn='…', ffn='…')}, a bottleneck for each",
        )
    target = percent * architecture.n_parameters / 100
    least, most = (100 * cost(size) / architecture.n_parameters for size in (sizes[0], sizes[-1]))
    above = target - cost(sizes[-1])
    last = cost(sizes[-1]) - cost(sizes[-1] - sizes.step)
    if above >= last / 2:
        size = sizes[-1] + sizes.step * _nearest(above / last)
        raise DesignError(
            asked,
            f"it would take a bottleneck of {size}; the slot can hold at most {sizes[-1]}, which is {most:.4g} %",
            f"{typed_sizes({'percent': _floor_digits(most)})} or less{other_slot(design)}",
        )
    if target < cost(sizes[0]) - (cost(sizes[0] + sizes.step) - cost(sizes[0])) / 2:
        raise DesignError(
            asked,
            f"this budget is too small: the smallest bottleneck, {sizes[0]}, costs {least:.4g} % with the design's"
            " fixed parts",
            f"{typed_sizes({'percent': _ceil_digits(least)})} or more",
        )
    bottleneck = _closest(sizes, cost, target)
    if isinstance(design, PromptTuning):
        return replace(design, length=bottleneck)
    solved = (replace(part, bottleneck=bottleneck) if part in free else part for part in design.parts)
    return replace(design, parts=tuple(solved))


def same_share(design: D, published: Architecture, architecture: Architecture) -> D:
    """The design on another backbone, each part with the share of parameters that it has on the published one.

    Every bottleneck is the nearest that its form can have on the backbone, or in proportion to the width where what a
    generator makes costs more at any size, and where a rule refuses the part; one below 1 is left unchanged, to be
    refused.
    """
    scale = architecture.n_parameters / published.n_parameters
    if isinstance(design, PromptTuning) and design.length < 1:
        return design
    if isinstance(design, PromptTuning):
        length = design.length * published.width * scale / architecture.width
        return replace(design, length=min(max(1, _nearest(length)), architecture.max_positions))
    parts: list[DeltaSpec] = []
    for part in design.parts:
        if part.bottleneck < 1 or FORMS[part.form].size is None:
            parts.append(part)
            continue
        in_proportion = max(1, part.bottleneck * architecture.width // published.width)
        if not _is_countable(part, architecture):
            parts.append(replace(part, bottleneck=in_proportion))
            continue
        there = replace(part, targets=known_targets(part, published))  # another architecture may lack some
        target = matrix_count(there, published) * scale
        sizes, cost = sizes_of(part, architecture), partial(_count_with, part, architecture)
        bottleneck = _closest(sizes, cost, target)
        if part.generator is not None and target < cost(sizes[0]):  # what does not grow with r is more than that share
            bottleneck = min(sizes, key=lambda size: abs(size - in_proportion))
        parts.append(replace(part, bottleneck=bottleneck))
    return replace(design, parts=tuple(parts))


def sizes_of(part: DeltaSpec, architecture: Architecture) -> range:
    """The bottlenecks that a delta can have on a backbone, at least one."""
    form = FORMS[part.form]
    first, step = form.smallest(part), form.step(part)
    return range(first, max(first, form.capacity(part, architecture)[0]) + 1, step)


def _is_countable(part: DeltaSpec, architecture: Architecture) -> bool:
    """Whether a part has places that can be measured; one that has none is refused by a rule."""
    sites = architecture.sites_of(part)
    match FORMS[part.form].level:
        case "heads":
            return bool(sites) and all(site.n_heads for site in sites)
        case "linear":
            return bool(sites) and bool(part.targets) and known_targets(part, architecture) == part.targets
        case "sublayer":
            return bool(sites)


def _count_with(part: DeltaSpec, architecture: Architecture, bottleneck: int) -> int:
    return matrix_count(replace(part, bottleneck=bottleneck), architecture)


def _sizes(
    design: Deltas | PromptTuning, architecture: Architecture, free: Sequence[DeltaSpec]
) -> tuple[range, Callable[[int], int]]:
    """The bottlenecks that all free parts can have, and the matrix parameters of the design with one of them."""
    if isinstance(design, PromptTuning):
        return range(1, architecture.max_positions + 1), lambda length: length * architecture.width
    fixed = sum(matrix_count(part, architecture) for part in design.parts if part not in free)

    def cost(bottleneck: int) -> int:
        return fixed + sum(_count_with(part, architecture, bottleneck) for part in free)

    sizes = [sizes_of(part, architecture) for part in free]
    step = math.lcm(*(each.step for each in sizes))
    first = max(each[0] for each in sizes)
    return range(-(-first // step) * step, min(each[-1] for each in sizes) + 1, step), cost


def _closest(sizes: range, cost: Callable[[int], int], target: float) -> int:
    """The size whose cost is nearest to the target, the larger of two that are as near; costs never decrease."""
    index = bisect_left(sizes, target, key=cost)
    if index == 0 or index == len(sizes):
        return sizes[min(index, len(sizes) - 1)]
    below, above = sizes[index - 1], sizes[index]
    return above if cost(above) - target <= target - cost(below) else below


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)


def _floor_digits(percent: float) -> str:
    """Rounded down to two decimals, or to two significant digits where that is more."""
    factor = 10 ** max(2, 1 - math.floor(math.log10(percent)))
    return f"{math.floor(percent * factor) / factor:g}"


def _ceil_digits(percent: float) -> str:
    return f"{math.ceil(percent * 10000) / 10000:g}"
