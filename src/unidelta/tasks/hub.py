"""Splits from the Hugging Face hub, or from its cache on this machine when the hub is out of reach."""

import datasets

from unidelta.errors import DataError
from unidelta.hub import cache_only, why_unreachable
from unidelta.tasks.task import TaskSpec

# XSum's main branch holds a loading script, which `datasets` no longer runs; the hub keeps a Parquet copy.
_PARQUET_COPY = "refs/convert/parquet"


def load_split(task: TaskSpec, split: str) -> datasets.Dataset:
    """One split of the task's repository.

    Raises:
        DataError: the hub is out of reach and the data set is not in the cache, or the hub has no such thing.
    """
    unreachable = why_unreachable()
    if unreachable is None:
        return _load(task, split, unreachable=None)
    with cache_only():
        return _load(task, split, unreachable=unreachable)


def _load(task: TaskSpec, split: str, *, unreachable: str | None) -> datasets.Dataset:
    name = f"{task.hub_id} ({task.hub_config})" if task.hub_config else task.hub_id
    asked = f"split {split} of {name} from the hub, for task {task.name}"
    instead = "task.source=local task.path=DIR with the data set's files, or task.source=mini"
    try:
        return _load_or_parquet_copy(task, split)
    except Exception as error:
        # `datasets` raises some dozen unrelated types here; whichever it is, the data is not to be had.
        if unreachable:
            why = f"{unreachable}, and the data set is not in the cache of this machine"
        else:
            why = f"{type(error).__name__}: {(str(error).splitlines() or ['no message'])[0]}"
        raise DataError(asked, why, instead) from error


def _load_or_parquet_copy(task: TaskSpec, split: str) -> datasets.Dataset:
    try:
        return datasets.load_dataset(task.hub_id, task.hub_config, split=split, revision=task.hub_revision)
    except RuntimeError as error:
        if task.hub_revision is not None or "scripts are no longer supported" not in str(error):
            raise
        return datasets.load_dataset(task.hub_id, task.hub_config, split=split, revision=_PARQUET_COPY)
