"""Splits from the Hugging Face hub, or from its cache on this machine when the hub is out of reach.

`datasets.load_dataset` retries for 23 s before it says that there is no network, so a three-second knock at
the hub's door comes first.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import datasets.config
import huggingface_hub.constants

from unidelta.errors import DataError
from unidelta.tasks.task import TaskSpec

_TIMEOUT_S = 3.0
# XSum's main branch holds a loading script, which `datasets` no longer runs; the hub keeps a Parquet copy.
_PARQUET_COPY = "refs/convert/parquet"


def load_split(task: TaskSpec, split: str) -> datasets.Dataset:
    """One split of the task's repository.

    Raises:
        DataError: the hub is out of reach and the data set is not in the cache, or the hub has no such thing.
    """
    if _is_offline():
        with _cache_only():
            return _load(task, split, instead_of_network="The hub is switched off (HF_HUB_OFFLINE)")
    if not _hub_answers():
        with _cache_only():
            return _load(task, split, instead_of_network=f"The hub did not answer within {_TIMEOUT_S:.0f} s")
    return _load(task, split, instead_of_network=None)


def _load(task: TaskSpec, split: str, *, instead_of_network: str | None) -> datasets.Dataset:
    name = f"{task.hub_id} ({task.hub_config})" if task.hub_config else task.hub_id
    asked = f"split {split} of {name} from the hub, for task {task.name}"
    instead = "task.source=local task.path=DIR with the data set's files, or task.source=mini"
    try:
        return _load_or_parquet_copy(task, split)
    except Exception as error:
        # `datasets` raises some dozen unrelated types here; whichever it is, the data is not to be had.
        if instead_of_network:
            why = f"{instead_of_network}, and the data set is not in the cache of this machine."
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


def _is_offline() -> bool:
    return bool(huggingface_hub.constants.HF_HUB_OFFLINE or datasets.config.HF_HUB_OFFLINE)


def _hub_answers() -> bool:
    """Whether anything answers at the hub's address, by way of the proxies that are set."""
    done, answers = threading.Event(), []

    def knock() -> None:
        request = urllib.request.Request(huggingface_hub.constants.ENDPOINT, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_S).close()
            answers.append(True)
        except urllib.error.HTTPError:
            answers.append(True)  # An error page is an answer too.
        except (OSError, ValueError):
            pass
        done.set()

    # In a thread, because a name server that hangs is not covered by the timeout of the connection.
    threading.Thread(target=knock, daemon=True).start()
    done.wait(_TIMEOUT_S)
    return bool(answers)


@contextmanager
def _cache_only() -> Iterator[None]:
    """Both libraries read HF_HUB_OFFLINE when they are imported, so it is set where they keep it."""
    before = datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = huggingface_hub.constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, huggingface_hub.constants.HF_HUB_OFFLINE = before
