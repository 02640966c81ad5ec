"""Splits from the Hugging Face hub, or from its cache on this machine when the hub is out of reach.

`datasets` takes a second to import, so it is imported only when there is something to load.
"""

import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import huggingface_hub.constants

from unidelta.errors import DataError, first_line
from unidelta.network.hub import cache_only, is_unknown_revision, why_unreachable
from unidelta.tasks.faults import Faults
from unidelta.tasks.hub_rows import HubRows
from unidelta.tasks.rows import RowCheck
from unidelta.tasks.task import TaskSpec

if TYPE_CHECKING:
    import datasets

# The hub's Parquet copy of a repository with a loading script, which `datasets` no longer runs.
_PARQUET_COPY = "refs/convert/parquet"
_COMMIT = re.compile(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])")


def load_split(task: TaskSpec, split: str) -> HubRows:
    """One split of the task's repository, with every row checked like a row of a file.

    Raises:
        DataError: the hub is out of reach and the data set is not in the cache at this revision; or the hub does not
            have it.
        Problems: the rows do not fit the task.
    """
    unreachable = why_unreachable(of_data=True)
    if unreachable and not _may_be_cached(str(task.hub_id)):
        raise _unavailable(task, split, _not_cached(unreachable))
    with cache_only() if unreachable else nullcontext():
        rows = _load(task, split, unreachable=unreachable)
    _check(rows, task, split)
    return rows


def _load(task: TaskSpec, split: str, *, unreachable: str | None) -> HubRows:
    try:
        dataset, is_copy = _load_or_parquet_copy(task, split)
    except Exception as error:
        # `datasets` raises a dozen unrelated types here; in every case the data is not available.
        if task.hub_revision is not None and is_unknown_revision(error):
            why = "the repository has no such commit, tag or branch"
            instead = f"task.hub_revision=main; the record names the commit. Or {_local(task)}"
            raise DataError(f"{_asked(task, split)}, task.hub_revision={task.hub_revision}", why, instead) from error
        why = _not_cached(unreachable) if unreachable else f"{type(error).__name__}: {first_line(error)}"
        raise _unavailable(task, split, why) from error
    found = _commit_of(dataset)
    is_other = found is not None and _COMMIT.fullmatch(task.hub_revision or "") and found != task.hub_revision
    if is_other and not is_copy:
        # Without the hub, `datasets` uses the newest commit in its cache, whatever was requested.
        raise DataError(
            f"{_asked(task, split)}, at commit {task.hub_revision}",
            f"{unreachable or 'the hub gave another commit'}; the cache of this machine has commit {found}",
            f"task.hub_revision={found}; or {_local(task)}",
        )
    return HubRows(dataset=dataset, task=task, revision=found)


def _load_or_parquet_copy(task: TaskSpec, split: str) -> "tuple[datasets.Dataset, bool]":
    """The split, and whether it is the hub's Parquet copy of a repository with a script."""
    import datasets

    repository = str(task.hub_id)
    try:
        return datasets.load_dataset(repository, task.hub_config, split=split, revision=task.hub_revision), False
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        # The copy is made from the main branch, so a pinned commit is unavailable; the record has the copy's.
        return datasets.load_dataset(repository, task.hub_config, split=split, revision=_PARQUET_COPY), True


def _commit_of(dataset: "datasets.Dataset") -> str | None:
    """The commit of the repository, from the addresses of its files or the name of the cache folder."""
    names = [*(dataset.info.download_checksums or {}), *(file["filename"] for file in dataset.cache_files)]
    return next((found[0] for name in names if (found := _COMMIT.search(name))), None)


def _check(rows: HubRows, task: TaskSpec, split: str) -> None:
    faults = Faults(_asked(task, split), split)
    check = RowCheck(task, faults)
    check.check_columns(rows.dataset.column_names)
    if not len(rows):
        faults.add_whole("the split has no rows", "at least one row")
    for number, row in enumerate(rows.whole(), 1):
        check.checked(row, number)
    check.finish()
    faults.raise_if_any()


def _may_be_cached(hub_id: str) -> bool:
    """Whether the cache of `datasets` holds anything by the repository's owner."""
    home = Path(huggingface_hub.constants.HF_HOME, "datasets")
    folder = Path(os.environ.get("HF_DATASETS_CACHE", home)).expanduser()
    owner, _, _ = hub_id.rpartition("/")
    return any(folder.glob(f"{owner}___*" if owner else "*"))


def _not_cached(unreachable: str) -> str:
    return f"{unreachable}, and the data set is not in the cache of this machine"


def _unavailable(task: TaskSpec, split: str, why: str) -> DataError:
    from unidelta.mini.corpus import SPLITS  # late: the miniature builds on this package's rows

    return DataError(_asked(task, split), why, _local(task) + ("; or task.source=mini" if task.name in SPLITS else ""))


def _local(task: TaskSpec) -> str:
    return f"task.source=local task.path=DIR, where DIR has {', '.join(task.splits())} (.jsonl, .csv, .tsv or .parquet)"


def _asked(task: TaskSpec, split: str) -> str:
    name = f"{task.hub_id} ({task.hub_config})" if task.hub_config else task.hub_id
    return f"split {split} of {name} from the hub, for task {task.name}"
