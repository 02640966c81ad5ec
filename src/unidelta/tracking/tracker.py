"""The interface of trackers: the start of a run, each entry of its history, its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from unidelta.records.record import RunRecord

N_PREDICTIONS = 100  # rows that are shown; the file beside the record has all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What is known of a run when it begins.

    Args:
        run_id: its name.
        coordinates: where it stands in the design space.
        spec: the scientific spec.
    """

    run_id: str
    coordinates: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def title(self) -> str:
        """A readable name; several runs may share it."""
        return f"{self.coordinates['method']} {self.coordinates['task']} seed {self.coordinates['seed']}"


class Tracker(Protocol):
    """Somewhere to watch a run. Every method may fail; `RunTracker` keeps the run going.

    Attributes:
        state: what the record says beside the kind, with a note where that is not what was asked.
    """

    state: dict[str, str | None]

    def log(self, entry: Mapping[str, float]) -> None:
        """One entry of the history: step, and numbers by name."""
        ...

    def finish(
        self, record: RunRecord | None, predictions: Sequence[Mapping[str, Any]] = (), *, exit_code: int
    ) -> None:
        """The end: with its record and predictions, or without a record because of an exception."""
        ...


def summary(record: RunRecord) -> dict[str, Any]:
    """Status, metrics, parameter counts and cost of a record in one level, by names such as `metrics/test/rouge1`."""
    flat: dict[str, Any] = {"status": record.status, "reason": record.reason}
    for part in ("metrics", "parameters", "cost"):
        flat |= _flat(part, getattr(record, part))
    return flat


def table(predictions: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """Column names, and the first rows of the predictions."""
    rows = predictions[:N_PREDICTIONS]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [[row.get(name) for name in columns] for row in rows]


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value:  # an empty mapping stays a value, or it would be lost
        return {name: value}
    return {path: leaf for key, below in value.items() for path, leaf in _flat(f"{name}/{key}", below).items()}
