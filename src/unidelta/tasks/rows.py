"""The check of rows against a task's columns; the same for JSONL, Parquet and the hub.

An empty text is a row like any other: XSum has documents without a word, and the authors trained on them. `encode`
counts it.
"""

from collections.abc import Collection, Mapping
from typing import Any

from unidelta.tasks.faults import Faults
from unidelta.tasks.task import Column, TaskKind

_ABSENT = object()
_NO_LABEL = -1  # in the test splits of GLUE
_N_SHOWN_CHARACTERS = 40


def check_columns(names: Collection[str], kind: TaskKind, faults: Faults) -> None:
    """Refuse a table that lacks a column of the task: told once, as every one of its rows would say the same.

    Raises:
        Problems: a column is missing.
    """
    absent = sorted({column.path[0] for column in kind.columns} - set(names))
    if absent:
        what = f"no column {', '.join(absent)}; it has {', '.join(names) or 'none'}."
        faults.add_whole(what, f"the columns {', '.join(column.name for column in kind.columns)}")
        faults.raise_if_any()


def check_row(row: Any, *, number: int, kind: TaskKind, faults: Faults) -> None:
    """Note in `faults` what keeps `row`, the `number`-th of its file, from being a row of the task."""
    if not isinstance(row, Mapping):
        faults.add(row=number, what=f"{_shown(row)} is not an object.", instead=f"an object with {_columns(kind)}")
        return
    for column in kind.columns:
        value = _value(row, column)
        if value is _ABSENT:
            faults.add(
                row=number,
                column=column.name,
                what=f"the column is missing; the row has {', '.join(sorted(map(str, row))) or 'none'}.",
                instead=f"a row with {_columns(kind)}",
            )
        elif column.holds == "label":
            _check_label(value, number, column, kind, faults)
        else:
            _check_text(value, number, column, faults)


def _value(row: Mapping[str, Any], column: Column) -> Any:
    value: Any = row
    for key in column.path:
        if not isinstance(value, Mapping) or key not in value:
            return _ABSENT
        value = value[key]
    return value


def _check_text(value: Any, number: int, column: Column, faults: Faults) -> None:
    instead = "text, in a JSON string or a Parquet string column"
    if value is None:
        faults.add(row=number, column=column.name, what="null where text is needed.", instead=instead)
    elif not isinstance(value, str):
        what = f"{_shown(value)} is no text but {type(value).__name__}."
        faults.add(row=number, column=column.name, what=what, instead=instead)
    elif "\0" in value:
        faults.add(row=number, column=column.name, what="the text holds a NUL character.", instead=instead)
    elif not value.isascii() and _has_lone_surrogate(value):
        # Python keeps half of a UTF-16 pair from "\ud83d"; no tokenizer can encode it.
        faults.add(
            row=number,
            column=column.name,
            what="the text holds a lone surrogate.",
            instead="whole characters",
        )


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _check_label(value: Any, number: int, column: Column, kind: TaskKind, faults: Faults) -> None:
    allowed = ", ".join(f"{i} ({name})" for i, name in enumerate(kind.label_names))
    # True == 1 and 1.0 == 1 in Python: a label is an int and nothing that merely equals one.
    if type(value) is not int:
        what = f"{_shown(value)} is no whole number but {type(value).__name__}."
        faults.add(row=number, column=column.name, what=what, instead=f"one of {allowed}")
    elif not 0 <= value < kind.n_labels:
        what = f"{value} is outside 0 to {kind.n_labels - 1}."
        if value == _NO_LABEL:
            what = f"{value} stands for no label: this is a split whose labels were never published."
        faults.add(row=number, column=column.name, what=what, instead=f"one of {allowed}")


def _columns(kind: TaskKind) -> str:
    return ", ".join(f"{column.name} ({column.holds})" for column in kind.columns)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _N_SHOWN_CHARACTERS else text[:_N_SHOWN_CHARACTERS] + "…"
