"""Records as files: `<root>/<scale>/<task>/<run_id>.json`, next to predictions and history."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unidelta.errors import RecordError
from unidelta.extensions.named_paths import real_path
from unidelta.records.atomic import check_writable
from unidelta.records.record import RunRecord
from unidelta.records.run_files import RunFiles, read_record

SCALES = ("mini", "small", "paper")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All records of a store: those that can be read, and the errors for the others."""

    records: tuple[RunRecord, ...]
    damaged: tuple[RecordError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStore:
    """A folder of records; one file per run, so that any number of runs can write at the same time.

    Args:
        root: the folder (`results/runs`); created when first written to.
    """

    root: Path

    def files(self, scale: str, task: str, run_id: str) -> RunFiles:
        """Where one run's files are.

        Raises:
            RecordError: a part is not a plain name, or a link leads out of the store.
        """
        asked = f"record {scale}/{task}/{run_id}"
        for name in (scale, task, run_id):
            if not _NAME.fullmatch(name):
                why = f"{name!r} is not a plain name"
                raise RecordError(asked, why, "letters, digits, _ and - only, up to 100 of them")
        files = RunFiles(folder=self.root / scale / task, run_id=run_id)
        for path in files.paths:
            if not real_path(path).is_relative_to(real_path(self.root)):
                raise RecordError(asked, f"a link leads out of {self.root}", "a folder instead of the link")
        return files

    def files_of(self, record: RunRecord) -> RunFiles:
        """Where the files of the run of a record are; raises as `files`."""
        return self.files(record.coordinates["scale"], record.coordinates["task"], record.run_id)

    def check_writable(self) -> None:
        """Raise `RecordError` unless the store can be written to."""
        check_writable(self.root)

    def write(self, record: RunRecord) -> Path:
        """Write one record, replacing an earlier one of the same run; raises as `files` and `RunFiles.write`."""
        return self.files_of(record).write(record)

    def read_all(self) -> Listing:
        """Every record under the root, in the order of their paths; damaged ones are listed, not raised."""
        found = list(self.read_each())
        return Listing(
            records=tuple(one for one in found if isinstance(one, RunRecord)),
            damaged=tuple(one for one in found if isinstance(one, RecordError)),
        )

    def read_each(self) -> Iterator[RunRecord | RecordError]:
        """Yield every record under the root, or its error, in order of path; errors are not raised."""
        # Unfinished writes are named `.tmp`, predictions `.jsonl`; a run's folder may hold any JSON.
        for path in sorted(path for scale in SCALES for path in self.root.glob(f"{scale}/*/*.json")):
            try:
                yield read_record(path)
            except RecordError as error:
                yield error


def roots_below(folder: Path) -> list[Path]:
    """The stores in a folder, itself included, in the order of their paths."""
    found = (path.parents[2] for scale in SCALES for path in folder.rglob(f"{scale}/*/*.json"))
    return sorted(set(found))
