"""Where rows come from: the hub, files of one's own, or the embedded miniature."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

from unidelta.errors import ConfigError, Problems, UserError
from unidelta.tasks import local
from unidelta.tasks.hub_rows import HubRows
from unidelta.tasks.registry import task_kind
from unidelta.tasks.task import Row, TaskSpec


class Rows(Protocol):
    """Rows that can be counted and gone through: a list, or `HubRows`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


def load(spec: TaskSpec, split: str) -> Rows:
    """The rows of one split, cut to the task's limit.

    Files and hub splits are checked in full before they are cut, so that a limit never hides a fault.

    Raises:
        ConfigError: the source or the task is unknown.
        DataError, Problems: the rows are not to be had, or do not fit the task.
    """
    kind, limit = task_kind(spec.name), spec.limit(split)
    match spec.source:
        case "hub":
            # The hub's libraries are of no use to the other sources.
            from unidelta.tasks.hub import load_split

            return load_split(spec, split).first(limit)
        case "local":
            return local.read_split(spec.path, split, kind)[:limit]
        case "mini":
            # The miniature builds on this package's rows, so it is fetched when asked for.
            from unidelta.mini import rows

            return list(islice(rows(spec.name, split, seed=spec.world), limit))
        case _:
            raise ConfigError(f"task.source={spec.source}", "There is no such source.", "one of: hub, local, mini")


def load_all(spec: TaskSpec) -> dict[str, Rows]:
    """The rows of every split the run reads, by split.

    Raises:
        Problems: everything that is wrong with any of the splits.
    """
    loaded: dict[str, Rows] = {}
    errors: list[UserError] = []
    for split in spec.splits():
        try:
            loaded[split] = load(spec, split)
        except UserError as error:
            # A missing folder or an unreachable hub is one fault, however many splits are asked for.
            if str(error) not in map(str, errors):
                errors.append(error)
            if spec.source == "hub":
                break
    if errors:
        raise Problems(errors)
    return loaded


def fingerprint(rows: Iterable[Row]) -> str:
    """SHA-256 (hex) over the rows as canonical JSON, in their order; equal for equal rows from any source."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def commit(rows: Mapping[str, Rows]) -> str | None:
    """The commit of the hub's repository that the splits came from; None for other sources, or where it is unknown."""
    return next((data.revision for data in rows.values() if isinstance(data, HubRows)), None)
