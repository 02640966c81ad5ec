"""Splits as files in a folder: `<split>.jsonl`, `<split>.parquet` or the parts `<split>-*.parquet`.

A split is read from files of exactly its own name, so `validation_matched` and `validation_mismatched` can
never run together, as they do where a folder is handed to `datasets.load_dataset`.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from unidelta.errors import DataError
from unidelta.tasks.jsonl import read_jsonl
from unidelta.tasks.task import Row, TaskKind

_SPLIT_NAME = re.compile(r"[A-Za-z0-9_]+")
_PART_NAME = re.compile(r".*-(\d+)-of-(\d+)\.parquet")


def read_split(folder: str | None, split: str, kind: TaskKind) -> list[Row]:
    """All rows of one split of a folder.

    Raises:
        DataError: there is no such folder or split, or the split is there twice or in part.
        Problems: the rows do not fit the task.
    """
    if folder is None:
        raise DataError("task.source=local", "No folder is given.", "task.source=local task.path=DIR")
    root = Path(folder)
    if not os.path.isdir(root):
        raise DataError(f"task.path={folder}", "There is no such folder.", "task.path=DIR with a folder of data files")
    rows: list[Row] = []
    for file in _files(root, split):
        rows.extend(_reader(file)(file, kind))
    return rows


def _reader(file: Path) -> Callable[[Path, TaskKind], list[Row]]:
    if file.suffix == ".jsonl":
        return read_jsonl
    # pyarrow takes half a second to import; whoever has JSONL need not wait for it.
    from unidelta.tasks.parquet import read_parquet

    return read_parquet


def _files(root: Path, split: str) -> list[Path]:
    asked = f"split {split} in {root}"
    if not _SPLIT_NAME.fullmatch(split):
        raise DataError(asked, "A split's name has letters, digits and _ only.", "e.g. validation_matched")
    parts = sorted(root.glob(f"{split}-*.parquet"))
    whole = [root / f"{split}{suffix}" for suffix in (".jsonl", ".parquet")]
    found = [[file] for file in whole if file.exists()] + ([parts] if parts else [])
    if not found:
        there = ", ".join(sorted(entry.name for entry in root.iterdir())[:20]) or "nothing"
        expected = f"{split}.jsonl, {split}.parquet or {split}-*.parquet"
        raise DataError(asked, f"The folder has no such file; it has {there}.", f"a file named {expected}")
    if len(found) > 1:
        names = ", ".join(files[0].name for files in found)
        raise DataError(asked, f"The split is there more than once: {names}.", "one of them; move the others away")
    _check_parts(found[0], asked)
    for file in found[0]:
        if file.is_dir():
            raise DataError(asked, f"{file.name} is a folder.", "a file of that name")
    return found[0]


def _check_parts(files: list[Path], asked: str) -> None:
    """`train-00000-of-00005.parquet` says how many parts there are: a missing one is missing rows."""
    matches = [match for file in files if (match := _PART_NAME.fullmatch(file.name))]
    if not matches:
        return
    n_parts = int(matches[0][2])
    missing = sorted(set(range(n_parts)) - {int(match[1]) for match in matches})
    if missing or len(files) != n_parts:
        told = ", ".join(str(part) for part in missing) or "none"
        why = f"{len(files)} files where the names say {n_parts} parts; missing: {told}."
        raise DataError(asked, why, "all parts of one download")
