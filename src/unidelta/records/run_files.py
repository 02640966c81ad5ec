"""The files of one run: `<task>/<run_id>.json`, and those next to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unidelta.errors import DamagedRecord, RecordError
from unidelta.records.atomic import write_atomically
from unidelta.records.record import RunRecord, from_json, to_json
from unidelta.records.strict_json import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """The paths of one run's files; none of them needs to exist.

    Args:
        folder: of the task.
        run_id: the run id, with which every file's name begins.
    """

    folder: Path
    run_id: str

    @property
    def record(self) -> Path:
        """The record."""
        return self.folder / f"{self.run_id}.json"

    @property
    def predictions(self) -> Path:
        """Every prediction on the reported splits, one JSON object per line."""
        return self.folder / f"{self.run_id}.predictions.jsonl"

    @property
    def history(self) -> Path:
        """Losses and dev scores, one JSON object per line."""
        return self.folder / f"{self.run_id}.history.jsonl"

    @property
    def next_history(self) -> Path:
        """The history of a repeat of a complete run, until it is complete, too."""
        return self.folder / f"{self.run_id}.history.next.jsonl"

    @property
    def lock(self) -> Path:
        """The lock file of the process that works on the run."""
        return self.folder / f"{self.run_id}.lock"

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints of an unfinished run."""
        return self.folder / f"{self.run_id}.checkpoints"

    @property
    def deltas(self) -> Path:
        """The folder of the saved deltas."""
        return self.folder / self.run_id

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        histories = self.history, self.next_history
        return self.record, self.predictions, *histories, self.lock, self.checkpoints, self.deltas

    def read(self) -> RunRecord | None:
        """The record, None if the run has none.

        Raises:
            DamagedRecord: the record is damaged.
            RecordError: it cannot be opened, or has a newer version.
        """
        return read_record(self.record) if self.record.exists() else None

    def write(self, record: RunRecord) -> Path:
        """Write the record, replacing an earlier one.

        Raises:
            RecordError: it cannot be written; an earlier one is unchanged.
        """
        write_atomically(self.record, to_json(record))
        return self.record

    def write_predictions(self, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write predictions, one JSON object per line (split, index, prediction, reference).

        Raises:
            RecordError: they cannot be written.
        """
        write_atomically(self.predictions, "".join(canonical(row) + "\n" for row in rows))
        return self.predictions


def read_record(path: Path) -> RunRecord:
    """The record in a file.

    Raises:
        DamagedRecord: it is damaged, or belongs to a different run than the file's name says.
        RecordError: it cannot be opened, or has a newer version.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise RecordError(f"record {path}", str(error.strerror), "a readable file") from None
    except UnicodeDecodeError as error:
        why = f"byte {error.start + 1} is not UTF-8"
        raise DamagedRecord(f"record {path}", why, "restore the file, or delete it and run again") from None
    record = from_json(text, origin=str(path))
    if record.run_id != path.stem:
        why = f"it is the record of run {record.run_id}"
        raise DamagedRecord(f"record {path}", why, "the record under its own name")
    return record
