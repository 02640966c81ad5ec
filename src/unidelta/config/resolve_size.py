"""How large a design is: the method's own bottlenecks, on another backbone the same share, then the budget."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from unidelta.config.schema import RunConfig
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.budget import same_share, solve
from unidelta.design.rules import check
from unidelta.design.spec import Deltas, PromptTuning
from unidelta.errors import ConfigError, DesignError, UserError

D = TypeVar("D", Deltas, PromptTuning)
S = TypeVar("S", bound=str)


def resolve_size(
    config: RunConfig, design: D, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> D:
    """The design at the size that was asked for; everything that is wrong is added to `problems`.

    Args:
        config: the composed configuration.
        design: the design with the method's own bottlenecks.
        architecture: the backbone of this run.
        published: the paper's backbone, on which the method's bottlenecks are stated.
        problems: what was found before.
    """
    if published != architecture:
        problems += check(design, published)
        design = same_share(design, published, architecture)
    return _apply_budget(config, design, architecture, problems)


def flexible_slots(config: RunConfig, slots: Sequence[S]) -> Sequence[S]:
    """The slots whose bottleneck a budget decides: those the method calls flexible, or all where it names none."""
    return [slot for slot in slots if slot in config.method.flexible] or slots


def _apply_budget(config: RunConfig, design: D, architecture: Architecture, problems: list[UserError]) -> D:
    budget = config.budget
    keys = {"percent": budget.percent, "bottleneck": budget.bottleneck, "attn": budget.attn, "ffn": budget.ffn}
    given = [key for key, value in keys.items() if value is not None]
    allowed = {"percent": ("percent",), "bottleneck": ("bottleneck", "attn", "ffn")}.get(budget.name, ())
    if set(given) - set(allowed):
        problems.append(
            ConfigError(
                " ".join([f"budget={budget.name}", *(f"budget.{key}={number(keys[key])}" for key in given)]),
                f"budget={budget.name} reads {in_words([f'budget.{key}' for key in allowed]) or 'no size'}",
                "budget=percent budget.percent=3.6, or budget=bottleneck budget.bottleneck=200, or budget=paper",
            )
        )
        return design
    unknown = [name for name in config.method.flexible if name not in list(Slot)]
    if unknown:
        problems.append(
            ConfigError(
                f"method.flexible=[{','.join(config.method.flexible)}]",
                f"{in_words(unknown)} is no slot",
                "method.flexible=[ffn], the slots whose bottleneck budget=percent solves",
            )
        )
    slots = [part.slot for part in design.parts] if isinstance(design, Deltas) else []
    flexible = flexible_slots(config, slots)
    if budget.name == "percent" and budget.percent is not None:
        try:
            return solve(design, architecture, percent=budget.percent, flexible=flexible)
        except DesignError as error:
            problems.append(error)
            return design
    if budget.name == "bottleneck" and given:
        return _explicit(config, design, flexible, problems)
    if budget.name != "paper":
        problems.append(
            ConfigError(
                f"method={config.method.name} budget={budget.name}",
                "it does not say how large the delta is",
                "budget=paper, budget=percent budget.percent=3.6, or budget=bottleneck budget.bottleneck=200",
            )
        )
    return design


def _explicit(config: RunConfig, design: D, flexible: Sequence[Slot], problems: list[UserError]) -> D:
    budget = config.budget
    if isinstance(design, PromptTuning):
        return replace(design, length=design.length if budget.bottleneck is None else budget.bottleneck)
    sizes = dict.fromkeys(flexible, budget.bottleneck) if budget.bottleneck is not None else {}
    sizes |= {slot: size for slot, size in ((Slot.ATTN, budget.attn), (Slot.FFN, budget.ffn)) if size is not None}
    absent = sizes.keys() - {part.slot for part in design.parts}
    problems += [
        ConfigError(
            f"budget.{slot}={sizes[slot]} with position={config.position.name}",
            f"the design has no delta at {slot}",
            f"position={slot} or position=both, or leave budget.{slot} out",
        )
        for slot in sorted(absent)
    ]
    return replace(
        design, parts=tuple(replace(part, bottleneck=sizes.get(part.slot, part.bottleneck)) for part in design.parts)
    )


def number(value: float) -> str:
    """As one would type it: integers in full, others to six digits."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def in_words(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
