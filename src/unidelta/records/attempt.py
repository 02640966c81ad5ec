"""What a run leaves on the disk while it is under way: its history so far and its checkpoints."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unidelta.records.checkpoints import Checkpoint, Checkpoints
from unidelta.records.history import HistoryLog, read_history
from unidelta.records.run_files import RunFiles

_HISTORY = "history.jsonl"


def refuses_other_machines(resume: str, *, device: str) -> bool:
    """Whether a run may only continue where it began.

    Args:
        resume: the key of that name; `auto` is strict where bits are promised.
        device: cpu or cuda.
    """
    return device == "cpu" if resume == "auto" else resume == "strict"


class Attempt:
    """One go at a run, from its newest checkpoint or from the beginning.

    Args:
        files: where the run's files are.
        identity: what has to be equal for a run to continue at all.
        machine: what has to be equal for it to continue bit for bit.
        is_strict: whether checkpoints of another machine are refused; else what changed is noted.

    Attributes:
        start: the checkpoint to go on from; None to begin.
        before: the history up to there.
        resumed: how often the computation that leads to this run's numbers was continued.
        changes: what of the machine changed when it was, as `Checkpoint.changes`.

    Raises:
        IntegrityError: the checkpoints are of another run, or, if strict, of another machine.
        RecordError: the disk or folder does not take the history.
    """

    def __init__(
        self, files: RunFiles, *, identity: Mapping[str, Any], machine: Mapping[str, Any], is_strict: bool
    ) -> None:
        named = {"run_id": files.run_id, **identity}
        self._checkpoints = Checkpoints(files.checkpoints, identity=named, machine=machine, is_strict=is_strict)
        self.start: Checkpoint | None = self._checkpoints.newest()
        self.resumed, before = 0, ""
        self.changes = self.start.changes if self.start is not None else ()
        if self.start is not None:
            self.resumed = self.start.resumed + 1
            before = (self.start.folder / _HISTORY).read_text(encoding="utf-8")
        self.before = tuple(read_history(before))
        self._history = HistoryLog(files.history, before=before)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Append one entry to the history.

        Raises:
            RecordError: the disk does not take it.
        """
        self._history.append(entry)

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Keep a checkpoint: what `write` puts into a folder, and the history so far.

        Raises:
            RecordError: the disk does not take it; earlier checkpoints are as they were.
        """

        def write_all(folder: Path) -> None:
            write(folder)
            shutil.copyfile(self._history.path, folder / _HISTORY)

        self._checkpoints.save(step, write_all, resumed=self.resumed, changes=self.changes)

    def close(self) -> None:
        """The history is complete as far as this attempt goes; again does nothing."""
        self._history.close()

    def remove_checkpoints(self) -> None:
        """The run is complete: nothing will go on from here."""
        self._checkpoints.remove()
