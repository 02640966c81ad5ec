"""The check of rows against a task's columns, the same for every file format and the hub.

An empty text is a valid row: XSum has documents without a word, and the authors trained on them. `encode` counts
them. Only a column that is empty in all rows is refused.
"""

import difflib
import shlex
from collections.abc import Collection, Mapping
from typing import Any

from unidelta.tasks.columns import ABSENT, nested, value
from unidelta.tasks.faults import Faults, shown
from unidelta.tasks.label_check import LabelCheck
from unidelta.tasks.labels import read_label
from unidelta.tasks.task import Row, TaskSpec


class RowCheck:
    """Checks the rows of one file or split, one by one.

    Args:
        task: the task whose columns are needed; a task without labels accepts any label.
        faults: collects what is noted.
    """

    def __init__(self, task: TaskSpec, faults: Faults) -> None:
        self._task, self._faults = task, faults
        self._names = tuple(task.column_names().values())
        self._n_visible = dict.fromkeys(task.text_columns(), 0)
        self._n_texts = dict.fromkeys(task.text_columns(), 0)
        self._labels = LabelCheck(task, faults)

    def check_columns(self, names: Collection[str]) -> None:
        """Refuse a table that lacks a column of the task: reported once, because every row has the same fault.

        Raises:
            Problems: a column is missing.
        """
        needed = self._task.column_names()
        absent = {role: name for role, name in needed.items() if not {name, name.split(".")[0]} & set(names)}
        if absent:
            nearest = [_typed(role, _nearest(name, names)) for role, name in absent.items()]
            what = f"no column {', '.join(absent.values())}; it has {', '.join(map(_marked, names)) or 'none'}"
            self._faults.add_whole(what, " ".join(nearest))
            self._faults.raise_if_any()

    def checked(self, row: Any, number: int) -> Row:
        """The columns of the task in `row`, number `number` of its file; faults are noted."""
        if not isinstance(row, Mapping):
            what = f"{shown(row)} is not an object"
            self._faults.add(row=number, what=what, instead=f"an object with {self._columns()}")
            return {}
        found = [value(row, name) for name in self._names]
        for i, name in enumerate(self._names):
            if found[i] is ABSENT:
                has = ", ".join(sorted(map(str, row))) or "none"
                what = f"the column is missing; the row has {has}"
                self._faults.add(row=number, column=name, what=what, instead=f"a row with {self._columns()}")
            elif name in self._n_visible:
                self._check_text(found[i], number, name)
            else:
                found[i] = read_label(found[i])
                self._labels.check(found[i], number)
        return nested(self._names, found)

    def finish(self) -> None:
        """Note wrong labels, and columns without a single visible character, once all rows are checked."""
        self._labels.finish()
        for name, n_visible in self._n_visible.items():
            if self._n_texts[name] and not n_visible:
                what = f"the column {name} is empty in all {self._n_texts[name]:,} rows"
                self._faults.add_whole(what, "a column with text: task.columns says which")

    def _check_text(self, text: Any, number: int, column: str) -> None:
        what, instead = "", "text, in a JSON string or a Parquet string column"
        if text is None:
            what = "null where text is needed"
        elif not isinstance(text, str):
            what = f"{shown(text)} is of type {type(text).__name__}, not text"
        elif "\0" in text:
            what = "the text holds a NUL character"
        elif not text.isascii() and _has_lone_surrogate(text):
            # Python keeps half of a UTF-16 pair from "\ud83d"; no tokenizer can encode it.
            what, instead = "the text holds a lone surrogate", "whole characters"
        if what:
            self._faults.add(row=number, column=column, what=what, instead=instead)
        if isinstance(text, str):
            self._n_texts[column] += 1
            self._n_visible[column] += bool(text) and not text.isspace()

    def _columns(self) -> str:
        return ", ".join(f"{name} ({'text' if name in self._n_visible else 'label'})" for name in self._names)


def _nearest(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(map(str, names)), n=1, cutoff=0.5)
    return near[0] if near else "NAME"


def _typed(role: str, name: str) -> str:
    """What to type for a column, in marks where a shell or Hydra would lose a space of its name."""
    word = f"task.columns.{role}={_marked(name)}"
    return f'"{word}"' if word.endswith("'") else shlex.quote(word)


def _marked(name: object) -> str:
    """A column's name, in marks where it begins or ends with a space."""
    text = str(name)
    return text if text == text.strip() else f"'{text}'"


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
