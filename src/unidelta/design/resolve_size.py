"""The size of a design: the method's bottlenecks, rescaled to the same share on another backbone, then the budget."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.budget import same_share, solve
from unidelta.design.request import Request, stated_sizes
from unidelta.design.rules import check
from unidelta.design.spec import Deltas, PromptTuning
from unidelta.design.wording import in_words, no_budget, typed_budget, typed_sizes
from unidelta.errors import ConfigError, DesignError, UserError

D = TypeVar("D", Deltas, PromptTuning)
S = TypeVar("S", bound=str)
_READ_BY = {"percent": ("percent",), "bottleneck": ("bottleneck", "attn", "ffn")}  # keys of budget=


def resolve_size(
    request: Request, design: D, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> D:
    """The design at the requested size; all faults are added to `problems`.

    Args:
        request: the request.
        design: the design with the method's own bottlenecks.
        architecture: the backbone of this run.
        published: the paper's backbone, on which the method's bottlenecks are stated.
        problems: the problems found so far.
    """
    if published != architecture:
        if published.family == architecture.family:
            problems += check(design, published)
        design = same_share(design, published, architecture)
    return _apply_budget(request, design, architecture, problems)


def flexible_slots(request: Request, slots: Sequence[S]) -> Sequence[S]:
    """The slots whose bottleneck a budget decides: the method's flexible slots, or all if it names none."""
    return [slot for slot in slots if slot in request.method.flexible] or slots


def unknown_slots(request: Request) -> list[UserError]:
    """What is wrong with the slots that a method calls flexible."""
    unknown = [name for name in request.method.flexible if name not in list(Slot)]
    if not unknown:
        return []
    asked, why = f"method.flexible=[{','.join(request.method.flexible)}]", f"{in_words(unknown)} is not a slot"
    return [ConfigError(asked, why, "method.flexible=[ffn], the slots whose bottleneck budget=percent solves")]


def sized_by_budget(request: Request, slots: Sequence[S]) -> set[str]:
    """Of these slots, those whose bottleneck the budget decides, so that nothing reads the method's own."""
    budget = request.budget
    decided = set[str]()
    if budget.name == "percent" or (budget.name == "bottleneck" and budget.bottleneck is not None):
        decided |= set(flexible_slots(request, slots))
    if budget.name == "bottleneck":
        decided |= stated_sizes(budget).keys()
    return decided & set(slots)


def _apply_budget(request: Request, design: D, architecture: Architecture, problems: list[UserError]) -> D:
    budget = request.budget
    given = stated_sizes(budget)
    allowed = _READ_BY.get(budget.name, ())
    if set(given) - set(allowed):
        is_one_budget = any(set(given) <= set(read) for read in _READ_BY.values())
        usual = f"{typed_budget(percent=3.6)}, or {typed_budget(bottleneck=200)}"
        problems.append(
            ConfigError(
                f"budget={budget.name} {typed_sizes(given)}",
                f"budget={budget.name} reads {in_words([f'budget.{key}' for key in allowed]) or 'no size'}",
                f"{typed_budget(**given) if is_one_budget else usual}, or {no_budget()}",
            )
        )
        return design
    if allowed:
        problems += unknown_slots(request)
    slots = [part.slot for part in design.parts] if isinstance(design, Deltas) else []
    flexible: Sequence[Slot] = flexible_slots(request, slots) if allowed else ()
    if budget.name == "percent" and budget.percent is not None:
        try:
            return solve(design, architecture, percent=budget.percent, flexible=flexible)
        except DesignError as error:
            problems.append(error)
            return design
    if budget.name == "bottleneck" and given:
        return _explicit(request, design, flexible, problems)
    if budget.name != "paper":
        problems.append(
            ConfigError(
                f"method={request.method.name} budget={budget.name}",
                "it does not say how large the delta is",
                f"{no_budget()}, {typed_budget(percent=3.6)}, or {typed_budget(bottleneck=200)}",
            )
        )
    return design


def _explicit(request: Request, design: D, flexible: Sequence[Slot], problems: list[UserError]) -> D:
    budget = request.budget
    if isinstance(design, PromptTuning):
        return replace(design, length=design.length if budget.bottleneck is None else budget.bottleneck)
    sizes = dict.fromkeys(flexible, budget.bottleneck) if budget.bottleneck is not None else {}
    sizes |= {Slot(name): size for name, size in stated_sizes(budget).items() if name in list(Slot)}
    absent = sizes.keys() - {part.slot for part in design.parts}
    problems += [
        ConfigError(
            f"{typed_sizes({slot: sizes[slot]})} with position={request.position.name}",
            f"the design has no delta at {slot}",
            f"position={slot} or position=both, or a budget without {slot}",
        )
        for slot in sorted(absent)
    ]
    return replace(
        design, parts=tuple(replace(part, bottleneck=sizes.get(part.slot, part.bottleneck)) for part in design.parts)
    )
