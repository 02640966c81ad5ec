"""Checks a task's languages against those that a tokenizer knows, and against the columns of its texts."""

import difflib
import re
from collections.abc import Iterator, Sequence

from unidelta.errors import ConfigError, UserError
from unidelta.tasks.task import TaskSpec


def wrong_languages(task: TaskSpec, known: Sequence[str]) -> list[UserError]:
    """What is wrong with a task's languages, if its tokenizer marks texts with one of `known`."""
    problems: list[UserError] = []
    for side, code in (("source", task.source_language), ("target", task.target_language)):
        if code not in known:
            near = difflib.get_close_matches(str(code), known, n=1, cutoff=0.5)
            others = f"one of: {', '.join(known)}"
            instead = f"task.{side}_language={near[0]}, or {others}" if near else others
            why = "the tokenizer has no such language"
            problems.append(ConfigError(f"task.{side}_language={code}", why, instead))
    return problems or list(_wrong_columns(task, known))


def _wrong_columns(task: TaskSpec, known: Sequence[str]) -> Iterator[UserError]:
    """Refuse a column that is named after another language than the one its texts are marked with.

    Only names that are languages of the tokenizer count: `translation.en` is English to one that knows `en_XX`.
    """
    languages = {_language(code): code for code in known}
    named = {side: name for side, name in task.column_names().items() if side in ("source", "target")}
    found = {side: _language(name.split(".")[-1]) for side, name in named.items()}
    codes = {"source": str(task.source_language), "target": str(task.target_language)}
    wrong = [side for side in named if found[side] in languages and found[side] != _language(codes[side])]
    if not wrong:
        return
    asked = " ".join(f"task.{side}_language={codes[side]} task.columns.{side}={named[side]}" for side in wrong)
    own = " ".join(f"task.{side}_language={languages[found[side]]}" for side in wrong)
    why = f"the column {' and the column '.join(named[side] for side in wrong)} would be marked as another language"
    if [found["target"], found["source"]] == [_language(code) for code in codes.values()]:
        own = f"task.columns.source={named['target']} task.columns.target={named['source']}, or {own}"
    yield ConfigError(asked, why, own)


def _language(code: str) -> str:
    """The language of a code: `en` of `en`, `en_XX` and `en-GB`, `eng` of `eng_Latn`."""
    return re.split("[_-]", code)[0].lower()
