"""Where rows come from: the hub, local files, or the miniature."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

from unidelta.errors import ConfigError, DataError, Problems, UserError
from unidelta.tasks import local
from unidelta.tasks.hub_rows import HubRows
from unidelta.tasks.labels import label_names
from unidelta.tasks.task import Row, TaskSpec

_HELD_OUT = re.compile(r"(?P<name>\w+)\[-(?P<n>[1-9]\d*):\]")
_N_ROWS_OF_IDS = 10  # with this many rows or more, a different label in every row is not a label


class Rows(Protocol):
    """Rows that can be counted and iterated over: a list, or `HubRows`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


def load(spec: TaskSpec, split: str) -> Rows:
    """The rows of one split, cut to the task's limit.

    Files and hub splits are checked in full before they are truncated, so that a limit never hides a fault. Rows that
    are held out of a split, as `train[-2000:]` in place of a name, are in no other.

    Raises:
        ConfigError: the source is unknown.
        DataError, Problems: the rows are not available, or do not fit the task.
    """
    return _part(spec, split, _named(spec, split))


def _n_taken(spec: TaskSpec, split: str) -> int:
    """How many of the last rows of a split's name are held out of it, by this or another split."""
    name, _ = held_out(split)
    return max(n for other, n in map(held_out, (split, *spec.splits())) if other == name)


def _part(spec: TaskSpec, split: str, rows: list[Row] | HubRows) -> Rows:
    """What a split has of the rows of its name, cut to the task's limit."""
    (name, n), taken, limit = held_out(split), _n_taken(spec, split), spec.limit(split)
    if taken and taken >= len(rows):
        raise _all_held_out(spec, f"{name}[-{taken}:]", len(rows))
    first, last = (len(rows) - n, len(rows)) if n else (0, len(rows) - taken)
    last = last if limit is None else min(last, first + limit)
    return rows.between(first, last) if isinstance(rows, HubRows) else rows[first:last]


def _all_held_out(spec: TaskSpec, part: str, n_rows: int) -> DataError:
    """The error of a split of which all rows are held out, as `part`."""
    name, _ = held_out(part)
    keys = {spec.eval_split: "task.eval_split='{}'", spec.test_split: "task.test_split='{}'"}
    typed = keys.get(part, "task.extra_eval_splits=\"['{}']\"").format
    why = f"the split {name} has {n_rows:,} rows, and this leaves it none"
    return DataError(typed(part), why, typed(local.last_rows(name, n_rows) if n_rows > 1 else "NAME"))


def held_out(split: str) -> tuple[str, int]:
    """The name of a split, and how many of its last rows are meant: `train[-2000:]`; 0 for a split as it is."""
    found = _HELD_OUT.fullmatch(split)
    return (found["name"], int(found["n"])) if found else (split, 0)


def _named(spec: TaskSpec, split: str) -> list[Row] | HubRows:
    """All rows of a split's name; of those that are made here, no more than are needed."""
    name, _ = held_out(split)
    match spec.source:
        case "hub":
            # Late: the other sources do not need the hub's libraries.
            from unidelta.tasks.hub import load_split

            return load_split(spec, name)
        case "local":
            return local.read_split(spec, name)
        case "mini":
            # Late: the miniature imports this package.
            from unidelta.mini import rows

            n = None if _n_taken(spec, split) else spec.limit(split)
            return list(islice(rows(spec.name, name, seed=spec.world), n))
        case _:
            raise ConfigError(f"task.source={spec.source}", "there is no such source", "one of: hub, local, mini")


def load_all(spec: TaskSpec) -> dict[str, Rows]:
    """The rows of every split the run reads, by split.

    Raises:
        Problems: everything that is wrong with any of the splits.
    """
    loaded: dict[str, Rows] = {}
    named: dict[str, list[Row] | HubRows] = {}  # rows that are held out of a split are read with it
    errors: list[UserError] = []
    for split in spec.splits():
        try:
            name, _ = held_out(split)
            if name not in named:
                named[name] = _named(spec, split)
            loaded[split] = _part(spec, split, named[name])
        except UserError as error:
            # A missing folder or an unreachable hub is one fault, for any number of splits.
            if str(error) not in map(str, errors):
                errors.append(error)
            if spec.source == "hub":
                break
    if errors:
        raise Problems(errors)
    return loaded


def read_labels(spec: TaskSpec) -> tuple[str, ...]:
    """The names of a task's classes, from the hub's own list or else from all rows of its training split.

    Raises:
        UserError: the rows are not available or do not fit the task, or they have fewer than two labels.
    """
    unlabelled = replace(spec, labels=(), max_train_examples=None)
    files = local.split_files(spec, "train") if spec.source == "local" else []
    stamps = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _read_labels(unlabelled, stamps)


@lru_cache(maxsize=16)  # the jobs of a sweep read the same files while their time stamps are the same
def _read_labels(spec: TaskSpec, _stamps: tuple[tuple[str, int, int], ...]) -> tuple[str, ...]:
    rows, column = load(spec, "train"), spec.columns.label
    asked = f"the labels of {spec.name} from task.columns.label={column}"
    if isinstance(rows, HubRows) and (declared := rows.class_names(str(column))):
        return declared
    counts = Counter(spec.label(row) for row in rows)
    names = label_names(counts)
    if len(names) < 2:
        only = ", ".join(names)
        why = f"all {len(rows):,} rows of the training split have the label {only}; there is nothing to tell apart"
        raise DataError(asked, why, "a column with two labels or more, or rows of the other labels")
    if len(names) == len(rows) >= _N_ROWS_OF_IDS:
        why = f"each of the {len(rows):,} rows of the training split has a label of its own, as numbers of rows have"
        raise DataError(asked, why, "task.columns.label=NAME, the column with the classes")
    return names


def fingerprint(rows: Iterable[Row]) -> str:
    """SHA-256 (hex) over the rows as canonical JSON, in order; equal for equal rows from any source."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def commit(rows: Mapping[str, Rows]) -> str | None:
    """The commit of the hub's repository that the splits came from; None for other sources, or if it is unknown."""
    return next((data.revision for data in rows.values() if isinstance(data, HubRows)), None)
