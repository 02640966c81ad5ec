"""Splits as files in a folder: `<split>.csv`, `.tsv`, `.jsonl`, `.json`, each also `.gz`, `.parquet` or `.arrow`.

They are whole, in parts, or as `datasets` saves them, in a folder for each split.

A split is read from files of its own name, so `validation_matched` and `validation_mismatched` are never mixed, as they
are if a folder is passed to `datasets.load_dataset`. Only common names of the same split (`dev` for `validation`) are
treated as equal.
"""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from unidelta.errors import DataError, UserError
from unidelta.tasks.delimited import read_delimited
from unidelta.tasks.faults import Faults
from unidelta.tasks.file_rows import FileRows, read_rows
from unidelta.tasks.jsonl import read_json, read_jsonl
from unidelta.tasks.rows import RowCheck
from unidelta.tasks.task import Row, TaskSpec

_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
_PART_NAME = re.compile(r".*-(\d+)-of-(\d+)\.[a-z.]+")
_N_HELD_OUT = 500  # at most, where nobody says how many
_DEV = ("validation", "dev", "valid", "val")  # names of one split
_READERS: dict[str, Callable[[BinaryIO, Faults], FileRows]] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": partial(read_delimited, delimiters=",;\t"),
    ".tsv": partial(read_delimited, delimiters="\t"),
}
FORMATS = (*(f"{ending}{gz}" for ending in _READERS for gz in ("", ".gz")), ".parquet", ".arrow")
"""The endings of files that are read."""


def _reader(suffix: str) -> Callable[[BinaryIO, Faults], FileRows]:
    if suffix in _READERS:
        return _READERS[suffix]
    from unidelta.tasks.arrow import read_arrow, read_parquet  # late: pyarrow takes half a second to import

    return read_parquet if suffix == ".parquet" else read_arrow


def read_split(task: TaskSpec, split: str) -> list[Row]:
    """All rows of one split of the task's folder.

    Raises:
        DataError: there is no such folder or split, or the split is duplicated or incomplete.
        Problems: the rows do not fit the task.
    """
    return [row for file in split_files(task, split) for row in read_file(file, task)]


def read_file(file: Path, task: TaskSpec) -> list[Row]:
    """All rows of one file, with only the columns of the task.

    Raises:
        Problems: columns or rows do not fit the task; ten faults are listed, three of a kind, and all are counted.
        DataError: the file cannot be read.
    """
    faults = Faults(f"{task.name} rows from {file}", file.name)
    suffix = Path(file.name.removesuffix(".gz")).suffix
    table = read_rows(file, _reader(suffix), faults, instead=f"a whole {suffix[1:]} file that can be read")
    check = RowCheck(task, faults)
    if table.rows:
        check.check_columns(table.columns)
    rows = [check.checked(row, number) for number, row in table.rows]
    check.finish()
    faults.raise_if_any()
    return rows


def split_files(task: TaskSpec, split: str) -> list[Path]:
    """The files of one split, its parts in order.

    Raises:
        DataError: there is no such folder or split, or the split is duplicated or incomplete.
    """
    if task.path is None:
        raise DataError("task.source=local", "no folder is given", "task.source=local task.path=DIR")
    root = Path(task.path)
    if not os.path.isdir(root):
        instead = "task.path=DIR with a folder of data files"
        raise DataError(f"task.path={task.path}", "there is no such folder", instead)
    asked = f"split {split} in {root}"
    if not _SPLIT_NAME.fullmatch(split):
        instead = f"validation_matched, say, or {last_rows('train', 10 * _N_HELD_OUT)}"
        raise DataError(asked, "a split's name has letters, digits and _ only", instead)
    names = _DEV if split in _DEV else (split,)
    found = [files for name in names for suffix in FORMATS for files in _candidates(root, name, suffix)]
    if not found:
        there = ", ".join(sorted(entry.name for entry in root.iterdir())[:20]) or "nothing"
        why = f"the folder has no such file; it has {there}"
        instead = f"a file named {split}.jsonl, .json, .csv, .tsv or .parquet{_otherwise(task, split)}"
        raise DataError(asked, why, instead)
    if len(found) > 1:
        names = ", ".join(files[0].name for files in found)
        raise DataError(asked, f"the split is there more than once: {names}", "one of them; move the others away")
    _check_parts(found[0], asked)
    for file in found[0]:
        if file.is_dir():
            raise DataError(asked, f"{file.name} is a folder", "a file of that name")
    return found[0]


def _candidates(root: Path, name: str, suffix: str) -> list[list[Path]]:
    whole = root / f"{name}{suffix}"
    parts = sorted(root.glob(f"{name}-*{suffix}"))
    saved = sorted(root.glob(f"{name}/data-*-of-*{suffix}")) if suffix == ".arrow" else []
    return ([[whole]] if whole.exists() else []) + [files for files in (parts, saved) if files]


def _otherwise(task: TaskSpec, split: str) -> str:
    """What else to type if a split is missing."""
    if split == task.test_split and split != task.eval_split:
        return "; or task.test_split=null, which reports the dev split"
    if split != task.eval_split or split == "train":
        return ""
    named = "; or task.eval_split=NAME for a dev split named otherwise"
    try:
        n_rows = len(read_split(replace(task, labels=()), "train"))
    except UserError:
        return named  # what is wrong with the training split is an error of its own
    last = f"; or task.eval_split='{last_rows('train', n_rows)}', the last rows of training"
    return named + (last if n_rows > 1 else "")


def last_rows(split: str, n_rows: int) -> str:
    """A split of the last rows of another of `n_rows`: `train[-500:]`, or a tenth of fewer."""
    return f"{split}[-{max(1, min(n_rows // 10, _N_HELD_OUT))}:]"


def _check_parts(files: list[Path], asked: str) -> None:
    """Check the number of parts given in names such as `train-00000-of-00005.parquet`."""
    matches = [match for file in files if (match := _PART_NAME.fullmatch(file.name))]
    if not matches:
        return
    n_parts = int(matches[0][2])
    missing = sorted(set(range(n_parts)) - {int(match[1]) for match in matches})
    if missing or len(files) != n_parts:
        listed = ", ".join(str(part) for part in missing) or "none"
        why = f"{len(files)} files where the names say {n_parts} parts; missing: {listed}"
        raise DataError(asked, why, "all parts of one download")
