"""Records as files: `<root>/<scale>/<task>/<run_id>.json`, with predictions and history beside them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unidelta.errors import DamagedRecord, RecordError
from unidelta.records.atomic import check_writable, write_atomically
from unidelta.records.record import RunRecord, from_json, to_json
from unidelta.records.strict_json import canonical

SCALES = ("mini", "paper")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All records of a store: those that can be read, and what keeps the others from it."""

    records: tuple[RunRecord, ...]
    damaged: tuple[RecordError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStore:
    """A folder of records; one file per run, so that any number of runs may write at once.

    Args:
        root: the folder (`results/runs`); made when first written to.
    """

    root: Path

    def path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The file of one record.

        Raises:
            RecordError: a part is no plain name, or a link leads out of the store.
        """
        return self._file(scale, task, run_id, ".json")

    def predictions_path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The file of one run's predictions; raises as `path` does."""
        return self._file(scale, task, run_id, ".predictions.jsonl")

    def history_path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The file of one run's history; raises as `path` does."""
        return self._file(scale, task, run_id, ".history.jsonl")

    def lock_path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The file that the process which does a run has locked; raises as `path` does."""
        return self._file(scale, task, run_id, ".lock")

    def checkpoints_path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The folder of the checkpoints of an unfinished run; raises as `path` does."""
        return self._file(scale, task, run_id, ".checkpoints")

    def deltas_path(self, *, scale: str, task: str, run_id: str) -> Path:
        """The folder of what a run tuned; raises as `path` does."""
        return self._file(scale, task, run_id, "")

    def check_writable(self) -> None:
        """Raise `RecordError` unless the store can be written to."""
        check_writable(self.root)

    def write(self, record: RunRecord) -> Path:
        """Write one record, in place of an earlier one of the same run.

        Raises:
            RecordError: the record cannot be written; an earlier one is as it was.
        """
        place = {"scale": record.coordinates["scale"], "task": record.coordinates["task"]}
        path = self.path(**place, run_id=record.run_id)
        write_atomically(path, to_json(record))
        return path

    def write_predictions(self, rows: Iterable[Mapping[str, Any]], *, scale: str, task: str, run_id: str) -> Path:
        """Write predictions, one JSON object a line (split, index, prediction, reference).

        Raises:
            RecordError: they cannot be written.
        """
        path = self.predictions_path(scale=scale, task=task, run_id=run_id)
        write_atomically(path, "".join(canonical(row) + "\n" for row in rows))
        return path

    def read(self, *, scale: str, task: str, run_id: str) -> RunRecord | None:
        """One record, None if the run has none.

        Raises:
            DamagedRecord: the record is damaged.
            RecordError: it cannot be opened, or is of a newer version.
        """
        path = self.path(scale=scale, task=task, run_id=run_id)
        return _read(path) if path.exists() else None

    def read_all(self) -> Listing:
        """Every record under the root, in the order of their paths; damaged ones are listed, not raised."""
        found = list(self.read_each())
        return Listing(
            records=tuple(one for one in found if isinstance(one, RunRecord)),
            damaged=tuple(one for one in found if isinstance(one, RecordError)),
        )

    def read_each(self) -> Iterator[RunRecord | RecordError]:
        """Every record under the root, one after the other, in the order of their paths; what is wrong, not raised."""
        # Writes that never ended are named `.tmp`, predictions `.jsonl`; a run's folder may hold any JSON.
        for path in sorted(path for scale in SCALES for path in self.root.glob(f"{scale}/*/*.json")):
            try:
                yield _read(path)
            except RecordError as error:
                yield error

    def _file(self, scale: str, task: str, run_id: str, suffix: str) -> Path:
        asked = f"record {scale}/{task}/{run_id}"
        for name in (scale, task, run_id):
            if not _NAME.fullmatch(name):
                why = f"{name!r} is no plain name."
                raise RecordError(asked, why, "letters, digits, _ and - only, up to 100 of them")
        path = self.root / scale / task / f"{run_id}{suffix}"
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise RecordError(asked, f"A link leads out of {self.root}.", "a folder instead of the link")
        return path


def roots_below(folder: Path) -> list[Path]:
    """The stores in a folder, itself included, in the order of their paths."""
    found = (path.parents[2] for scale in SCALES for path in folder.rglob(f"{scale}/*/*.json"))
    return sorted(set(found))


def _read(path: Path) -> RunRecord:
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RecordError(f"record {path}", f"{error.strerror}.", "a readable file") from None
    except UnicodeDecodeError as error:
        why = f"Byte {error.start + 1} is not UTF-8."
        raise DamagedRecord(f"record {path}", why, "restore the file, or delete it and run again") from None
    record = from_json(text, origin=str(path))
    if record.run_id != path.stem:
        why = f"It is the record of run {record.run_id}."
        raise DamagedRecord(f"record {path}", why, "the record under its own name")
    return record
