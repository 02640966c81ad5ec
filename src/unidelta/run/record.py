"""The record of a run, complete or not: built and written only here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unidelta.extensions.paths import PACKAGE
from unidelta.records.provenance import provenance
from unidelta.records.record import RunRecord, Status
from unidelta.run.coordinates import coordinates, parameters
from unidelta.run.execution import Execution
from unidelta.run.hardware import cpu, device_name, kernels
from unidelta.tracking import RunTracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended, and with what results.

    Args:
        status: complete, diverged, failed or interrupted.
        reason: why it is not complete, in one line.
        metrics: by split.
        cost: times, steps, memory.
        backbone: the tensors that the checkpoint lacked (`new`), and how its own head is used (`head`).
        revisions: commits of data and weights that come from a repository.
        changes: what changed about the machine when the run was resumed (`Checkpoint.changes`).
    """

    status: Status
    reason: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    backbone: Mapping[str, Any] = field(default_factory=dict)
    revisions: Mapping[str, str | None] = field(default_factory=dict)
    changes: Sequence[Mapping[str, Any]] = ()


def write_record(execution: Execution, ending: Ending, tracker: RunTracker) -> RunRecord:
    """Build the record of a run that ended, and write it in the first process.

    Raises:
        RecordError: it cannot be written to the disk; an earlier record is unchanged.
    """
    spec = execution.spec
    record = RunRecord(
        run_id=execution.files.run_id,
        status=ending.status,
        reason=ending.reason,
        coordinates=coordinates(spec),
        spec=execution.identity,
        parameters=parameters(spec),
        metrics=ending.metrics,
        cost={**ending.cost, "processes": execution.processes.n},
        provenance={
            **provenance(command=execution.command, device=device_name(spec.training), checkout=PACKAGE),
            "cpu": cpu(),
            "kernels": kernels(),
            "plan": execution.plan,
            "revisions": dict(ending.revisions),
            "backbone": dict(ending.backbone),
            "resumed_with": list(ending.changes),
        },
    )
    record = tracker.noted(record)
    if execution.processes.is_first:
        execution.files.write(record)
    return record


def close_tracking(
    execution: Execution, record: RunRecord, predictions: Sequence[Mapping[str, Any]], tracker: RunTracker
) -> RunRecord:
    """Send the record to the tracker, and rewrite it if tracking failed; returns the final record."""
    if not execution.processes.is_first:
        return record
    noted = tracker.finish(record, predictions)
    if noted != record:
        execution.files.write(noted)
    return noted
