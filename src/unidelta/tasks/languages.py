"""Checks a task's languages against those that a tokenizer knows."""

import difflib
from collections.abc import Sequence

from unidelta.errors import ConfigError, UserError
from unidelta.tasks.task import TaskSpec


def unknown_languages(task: TaskSpec, known: Sequence[str]) -> list[UserError]:
    """The faults in a task's languages, if its tokenizer marks texts with one of `known`."""
    problems: list[UserError] = []
    for side, code in (("source", task.source_language), ("target", task.target_language)):
        if code not in known:
            near = difflib.get_close_matches(str(code), known, n=1, cutoff=0.5)
            others = f"one of: {', '.join(known)}"
            instead = f"task.{side}_language={near[0]}, or {others}" if near else others
            why = "The tokenizer has no such language."
            problems.append(ConfigError(f"task.{side}_language={code}", why, instead))
    return problems
