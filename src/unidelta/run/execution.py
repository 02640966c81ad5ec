"""One execution of a run: its settings, where its files are, and which processes take part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unidelta.config.run_spec import RunSpec
from unidelta.records.run_files import RunFiles
from unidelta.training.processes import Processes
from unidelta.training.stopping import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What every stage of a run needs to know.

    Args:
        spec: the run.
        identity: the scientific spec that goes into the record; the run id is its hash.
        files: where everything is written.
        command: the command line, for the record.
        processes: this process, and how many take part; the first one writes.
        stop: whether the run was asked to stop.
        saves_deltas: whether the trained deltas are saved (`injection.saved`).
        saves_model: whether a fully fine-tuned model is saved (`run.keep`).
        is_repeat: whether there is a complete record, which is to be made again.
        plan: SHA-256 of the file that says what the runs are to decide; None without one.
    """

    spec: RunSpec
    identity: Mapping[str, Any]
    files: RunFiles
    command: Sequence[str]
    processes: Processes
    stop: Stop
    saves_deltas: bool
    saves_model: bool
    is_repeat: bool = False
    plan: str | None
