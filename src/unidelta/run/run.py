"""The composition root: configuration to record."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Literal

from unidelta.backbones import checkpoint
from unidelta.backbones.shipped import checked_weights, miniature
from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.console.garbage import paused_garbage_collection
from unidelta.errors import DamagedRecord, Interrupted, Problems, UserError
from unidelta.extensions.named_paths import is_local
from unidelta.extensions.paths import PACKAGE
from unidelta.records.atomic import set_aside
from unidelta.records.identity import run_id
from unidelta.records.lock import locked
from unidelta.records.provenance import provenance
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.run.coordinates import coordinates, parameters
from unidelta.run.describe import print_record
from unidelta.run.identity import identity
from unidelta.run.prepare import prepare
from unidelta.tasks import Rows, load_all
from unidelta.tracking import RunFacts, start_tracking
from unidelta.tracking.spec import NOT_TRACKED
from unidelta.training.processes import ALONE, Processes
from unidelta.training.stopping import Stop


def run(
    config: RunConfig, *, command: Sequence[str], processes: Processes = ALONE, stop: Stop | None = None
) -> RunRecord | None:
    """Do what a configuration asks for, go on with it, or find that it is done already.

    Args:
        config: the composed configuration.
        command: the command line, for the record.
        processes: this process, and of how many do the run together; the first one writes.
        stop: whether the run was asked to stop; None if nobody will.

    Returns:
        The record; None for a dry run.

    Raises:
        UserError: if design, data, checkpoint or results folder are not to be had; no record was written.
        AlreadyRunning: another process does this run now.
        Interrupted: the run was asked to stop; its record says so, and the same call continues it.
    """
    spec = prepare(config)
    if config.dry_run:
        from unidelta.run.dry_run import dry_run  # late: torch and transformers take seconds to import

        dry_run(spec)
        return None
    if processes.n > 1:
        from unidelta.training.share import share  # late, as above

        share(spec.training, processes)
    store = RecordStore(root=Path(config.results_dir))
    rows = _get_everything(spec, store)
    scientific = identity(spec, rows)
    name = run_id(scientific)
    place = {"scale": spec.scale, "task": spec.task.name, "run_id": name}
    with locked(store.lock_path(**place)) if processes.is_first else nullcontext():
        done = None if config.force else _complete(store, place, processes)
        if done is not None:
            called = done.coordinates["method"]
            same = "" if called == spec.method else f" {spec.method} is the same design under another name."
            print(f"This run is done already; force=true runs it again.{same}\n{print_record(done, store)}")
            return done
        facts = RunFacts(run_id=name, coordinates=coordinates(spec), spec=scientific)
        tracking = resolve_tracking(config) if processes.is_first else NOT_TRACKED
        with _end_recorded(spec, facts, store, command, processes), start_tracking(tracking, facts) as tracker:
            with paused_garbage_collection():
                from unidelta.run.execute import execute  # late; and W&B takes a second longer once torch is imported

            record, predictions = execute(
                spec,
                rows,
                scientific,
                store=store,
                name=name,
                command=command,
                tracker=tracker,
                processes=processes,
                stop=stop or Stop(),
                saves_deltas=config.save_deltas,
            )
            if processes.is_first and record != (record := tracker.finish(record, predictions)):
                store.write(record)
    print(print_record(record, store))
    return record


@contextmanager
def _end_recorded(
    spec: RunSpec, facts: RunFacts, store: RecordStore, command: Sequence[str], processes: Processes
) -> Iterator[None]:
    """Leave a record of a run that does not reach its end; never in place of a complete one."""
    begin = time.perf_counter()
    place = {"scale": spec.scale, "task": spec.task.name, "run_id": facts.run_id}

    def leave_record(status: Literal["failed", "interrupted"], reason: str) -> None:
        if not processes.is_first or _complete(store, place, processes) is not None:
            return
        store.write(
            RunRecord(
                run_id=facts.run_id,
                status=status,
                reason=reason,
                coordinates=facts.coordinates,
                spec=facts.spec,
                parameters=parameters(spec),
                metrics={},
                cost={"seconds": time.perf_counter() - begin, "processes": processes.n},
                provenance=provenance(command=command, device=spec.training.device, checkout=PACKAGE),
            )
        )

    try:
        yield
    except UserError:
        raise
    except Interrupted as interrupted:
        leave_record("interrupted", str(interrupted))
        raise
    except Exception as error:
        leave_record("failed", " ".join(f"{type(error).__name__}: {error}".split()))
        raise


def _complete(store: RecordStore, place: dict[str, str], processes: Processes) -> RunRecord | None:
    """The record of the run if it is complete; a damaged one is set aside, because the run is done again."""
    try:
        record = store.read(**place)
    except DamagedRecord as error:
        if processes.is_first:
            print(f"{error.asked} is damaged ({error.why}) set aside as {set_aside(store.path(**place)).name}")
        return None
    return record if record is not None and record.status == "complete" else None


def _get_everything(spec: RunSpec, store: RecordStore) -> dict[str, Rows]:
    """The rows of all splits, once results folder, data and checkpoint are all known to be there."""
    problems: list[UserError] = []
    rows: dict[str, Rows] = {}
    try:
        store.check_writable()
    except UserError as error:
        problems.append(error)
    try:
        rows = load_all(spec.task)
    except UserError as error:
        problems.append(error)
    weights = spec.backbone.checkpoint
    folder = miniature(weights, spec.backbone.architecture.family.name)
    try:
        if folder is not None:
            checked_weights(folder)
        elif weights is not None and not is_local(weights):
            checkpoint.check_hub(weights, spec.backbone.revision)
    except UserError as error:
        problems.append(error)
    if problems:
        raise Problems(problems)
    return rows
