"""What a run leaves on the disk while it is under way: its history so far and its checkpoints."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unidelta.records.checkpoints import Checkpoint, Checkpoints
from unidelta.records.history import HistoryLog, read_history
from unidelta.records.run_files import RunFiles

_HISTORY = "history.jsonl"


class Attempt:
    """One go at a run, from its newest checkpoint or from the beginning.

    Args:
        files: where the run's files are.
        identity: what has to be equal for a run to go on bit for bit.

    Attributes:
        start: the checkpoint to go on from; None to begin.
        before: the history up to there.
        resumed: how often the computation that leads to this run's numbers was continued.

    Raises:
        IntegrityError: the checkpoints are of another run, or were made under other circumstances.
        RecordError: the disk or folder does not take the history.
    """

    def __init__(self, files: RunFiles, *, identity: Mapping[str, Any]) -> None:
        self._checkpoints = Checkpoints(files.checkpoints, identity={"run_id": files.run_id, **identity})
        self.start: Checkpoint | None = self._checkpoints.newest()
        self.resumed = 0
        before = ""
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

        self._checkpoints.save(step, write_all, resumed=self.resumed)

    def close(self) -> None:
        """The history is complete as far as this attempt goes; again does nothing."""
        self._history.close()

    def remove_checkpoints(self) -> None:
        """The run is complete: nothing will go on from here."""
        self._checkpoints.remove()
