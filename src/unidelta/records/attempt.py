"""The files of a run in progress: its history so far and its checkpoints."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unidelta.records.atomic import system_errors_named
from unidelta.records.checkpoints import Checkpoint, Checkpoints
from unidelta.records.history import HistoryLog, read_history
from unidelta.records.run_files import RunFiles

_HISTORY = "history.jsonl"


def refuses_other_machines(resume: str, *, device: str) -> bool:
    """Whether a run may resume only on the same machine.

    Args:
        resume: the key of this name; `auto` is strict on devices with bit-reproducible results.
        device: cpu or cuda.
    """
    return device == "cpu" if resume == "auto" else resume == "strict"


class Attempt:
    """One attempt at a run, from its newest checkpoint or from the beginning.

    Args:
        files: where the run's files are.
        identity: what must be equal to resume at all.
        machine: what must be equal to resume bit for bit.
        is_strict: whether checkpoints of a different machine are refused; otherwise the changes are recorded.
        is_repeat: whether the run was complete before: its history then stays until `put_history`.

    Attributes:
        start: the checkpoint to resume from; None to start from the beginning.
        before: the history up to that checkpoint.
        resumed: how often the computation of this run's numbers was resumed.
        changes: what changed about the machine each time, as `Checkpoint.changes`.

    Raises:
        IntegrityError: the checkpoints belong to a different run or, if strict, to a different machine.
        RecordError: the history cannot be written.
    """

    def __init__(
        self,
        files: RunFiles,
        *,
        identity: Mapping[str, Any],
        machine: Mapping[str, Any],
        is_strict: bool,
        is_repeat: bool = False,
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
        self._place = files.history
        self._history = HistoryLog(files.next_history if is_repeat else files.history, before=before)

    def log(self, entry: Mapping[str, Any]) -> None:
        """Append one entry to the history.

        Raises:
            RecordError: the disk does not take it.
        """
        self._history.append(entry)

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Save a checkpoint: the files from `write`, and the history so far.

        Raises:
            RecordError: it cannot be written to the disk; earlier checkpoints are unchanged.
        """

        def write_all(folder: Path) -> None:
            write(folder)
            shutil.copyfile(self._history.path, folder / _HISTORY)

        self._checkpoints.save(step, write_all, resumed=self.resumed, changes=self.changes)

    def close(self) -> None:
        """Close the history at the end of this attempt; a second call does nothing."""
        self._history.close()

    def put_history(self) -> None:
        """Close the history and put it where it belongs, just before the record is written.

        Raises:
            RecordError: the disk does not take it.
        """
        self.close()
        with system_errors_named(self._place):
            os.replace(self._history.path, self._place)

    def remove_checkpoints(self) -> None:
        """Delete the checkpoints of a complete run."""
        self._checkpoints.remove()
