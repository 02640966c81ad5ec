"""peft's `target_modules`: which modules a list of names or an expression means, and the shortest list for some."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import nn


def shortest(targets: Collection[str], every: Collection[str]) -> list[str]:
    """The shortest ends of names that mean exactly the targets, else their full names.

    Servers such as vLLM take short names only.

    Args:
        targets: names of modules.
        every: names of all modules of the model.
    """
    longest = max(name.count(".") + 1 for name in targets)
    for n_words in range(1, longest):
        ends = sorted({".".join(name.split(".")[-n_words:]) for name in targets})
        if {name for name in every if matches(ends, name)} == set(targets):
            return ends
    return sorted(targets)


def matches(asked: str | Sequence[str], name: str) -> bool:
    """Whether a module is meant: by an expression for its whole name, or by a list of ends of names."""
    if isinstance(asked, str):
        return re.fullmatch(asked, name) is not None
    return any(name == end or name.endswith(f".{end}") for end in asked)


def pattern_value(patterns: Mapping[str, Any], name: str, default: Any) -> Any:
    """A module's value in `rank_pattern` or `alpha_pattern`: that of the first key that ends its name."""
    for end, value in patterns.items():
        if re.match(rf"(.*\.)?({end})$", name):
            return value
    return default


def module_names(model: nn.Module) -> list[str]:
    """Names of all stock modules, without those of deltas."""
    return [name for name, _ in model.named_modules() if name and ".deltas" not in f".{name}"]
