"""The check of a split's labels: a fault that many of them have is reported once, at the first such row."""

import difflib
from typing import Any

from unidelta.tasks.faults import Faults, shown
from unidelta.tasks.labels import class_of, have_positions
from unidelta.tasks.task import TaskSpec

_NO_LABEL = -1  # in the test splits of GLUE
_N_SHOWN_LABELS, _N_SHOWN_OTHERS = 20, 5


class LabelCheck:
    """Checks labels one by one.

    Args:
        task: the task; one without labels accepts any.
        faults: collects what is noted.
    """

    def __init__(self, task: TaskSpec, faults: Faults) -> None:
        self._names, self._faults, self._column = task.labels, faults, task.columns.label
        self._found: dict[str, list[tuple[int, Any]]] = {}
        self._has_numbers = False

    def check(self, label: Any, number: int) -> None:
        """Keep a label of row `number` that the task cannot have."""
        self._has_numbers |= isinstance(label, int | float)
        why = self._why(label)
        if why is not None:
            self._found.setdefault(why, []).append((number, label))

    def finish(self) -> None:
        """Note what was found, once all rows are checked."""
        for why, found in self._found.items():
            number, label = found[0]
            others = list(dict.fromkeys(shown(other) for _, other in found if other != label))
            more = "…" if len(others) > _N_SHOWN_OTHERS else ""
            also = f"; also {', '.join(others[:_N_SHOWN_OTHERS])}{more}" if others else ""
            rows = f" (the first of {len(found):,} such rows{also})" if len(found) > 1 else ""
            what = f"{'null' if label is None else shown(label)} {why}{rows}"
            without = "; without labels for the test split: task.test_split=null" if label in (None, _NO_LABEL) else ""
            self._faults.add(row=number, column=self._column, what=what, instead=self._labels(label) + without)

    def _why(self, label: Any) -> str | None:
        """Why a label cannot be, None if it can."""
        if label is None:
            return "where a label is needed"
        # True == 1 and 1.0 == 1 in Python: a label must be an integer, not merely equal to one.
        if type(label) not in (int, str):
            return f"is of type {type(label).__name__}, not a label"
        if not self._names or class_of(label, self._names) is not None:
            return None
        if label == _NO_LABEL:
            return "stands for no label: this is a split whose labels were never published"
        if isinstance(label, int) and have_positions(self._names):
            return f"is outside 0 to {len(self._names) - 1}"
        return "is none of the labels"

    def _labels(self, label: Any) -> str:
        names = self._names
        if not names:
            return "a whole number or a name in every row"
        if self._has_numbers and not isinstance(label, str) and have_positions(names):
            return f"one of {', '.join(f'{i} ({name})' for i, name in enumerate(names))}"
        near = difflib.get_close_matches(str(label), names, n=1)
        some = ", ".join(names[:_N_SHOWN_LABELS]) + ("…" if len(names) > _N_SHOWN_LABELS else "")
        nearest = f"{near[0]}, or another" if near else "one"
        unquoted = {"True", "False"} & {*names}  # what YAML makes of true, no and their like
        quotes = '; without quotes true and no are not text: task.labels=["yes","no"]' if unquoted else ""
        return f"{nearest} of the labels {some}, which training has or task.labels names{quotes}"
