"""The composition root: from a configuration to its record."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.console.garbage import paused_garbage_collection
from unidelta.design.spec import Frozen, FullFineTuning
from unidelta.errors import ConfigError, DamagedRecord, Interrupted, Problems, RecordError, UserError
from unidelta.records.atomic import set_aside
from unidelta.records.identity import run_id
from unidelta.records.lock import locked
from unidelta.records.record import RunRecord
from unidelta.records.sha256 import sha256_of_file
from unidelta.records.store import RecordStore
from unidelta.run.coordinates import coordinates
from unidelta.run.describe import dry_run, record_text
from unidelta.run.execution import Execution
from unidelta.run.hardware import pin
from unidelta.run.identity import identity
from unidelta.run.prepare import prepare
from unidelta.run.record import Ending, close_tracking, write_record
from unidelta.tasks import Rows, fingerprint, load_all
from unidelta.tracking import RunFacts, RunTracker, start_tracking
from unidelta.tracking.spec import NOT_TRACKED
from unidelta.training.processes import ALONE, Processes
from unidelta.training.stopping import Stop


def run(
    config: RunConfig, *, command: Sequence[str], processes: Processes = ALONE, stop: Stop | None = None
) -> RunRecord | None:
    """Execute the run of a configuration, resume it, or return its existing record.

    Args:
        config: the composed configuration.
        command: the command line, for the record.
        processes: this process, and how many take part; the first one writes.
        stop: whether the run was asked to stop; None if it cannot be.

    Returns:
        The record; None for a dry run.

    Raises:
        UserError: design, data, checkpoint or results folder cannot be used; no record was written.
        AlreadyRunning: another process is working on this run.
        Interrupted: the run was asked to stop; its record says so, and the same call resumes it.
    """
    spec = prepare(config)
    if spec.scale == "mini":
        pin()
    if config.dry_run:
        dry_run(spec)
        return None
    if processes.n > 1:
        from unidelta.training.share import share  # late, like every import in this function: they take seconds

        share(spec.training, processes)
    store = RecordStore(root=Path(config.results_dir))
    rows = _get_everything(spec, store)
    data = {split: fingerprint(part) for split, part in rows.items()}
    scientific = identity(spec, data=data, weights=spec.backbone.weights.fingerprint())
    execution = Execution(
        spec=spec,
        identity=scientific,
        files=store.files(spec.scale, spec.task.name, run_id(scientific)),
        command=command,
        processes=processes,
        stop=stop or Stop(),
        saves_deltas=config.save_deltas,
        saves_model=config.save_model,
        plan=None if config.plan is None else sha256_of_file(Path(config.plan)),
    )
    with locked(execution.files.lock) if processes.is_first else nullcontext():
        done = _complete(execution)
        execution = replace(execution, is_repeat=done is not None)
        if done is not None and not config.force:
            _check_kept(execution)
            called = done.coordinates["method"]
            same = "" if called == spec.method else f" {spec.method} is the same design under another name."
            shown = record_text(done, spec.task, execution.files)
            lost = _lost(execution)
            kept = f" Its {' and '.join(lost)} are not there: not kept, or removed since." if lost else ""
            headline = _other_headline(done, spec.task.headline)
            print(f"This run is done already; force=true runs it again.{kept}{same}{headline}\n{shown}")
            return done
        facts = RunFacts(run_id=execution.files.run_id, coordinates=coordinates(spec), spec=scientific)
        tracking = resolve_tracking(config) if processes.is_first else NOT_TRACKED
        with start_tracking(tracking, facts) as tracker, _end_recorded(execution, tracker):
            with paused_garbage_collection():
                from unidelta.run.execute import execute  # W&B takes a second longer once torch is imported

            record, predictions = execute(execution, rows, tracker)
            record = close_tracking(execution, record, predictions, tracker)
    print(record_text(record, spec.task, execution.files))
    return record


@contextmanager
def _end_recorded(execution: Execution, tracker: RunTracker) -> Iterator[None]:
    """Write a record of a run that did not finish; never overwrites a complete one."""
    begin = time.perf_counter()
    try:
        yield
    except UserError:
        raise
    except (Exception, Interrupted) as error:
        ended: BaseException = error
        if execution.stop.signal is not None and not isinstance(error, Interrupted):  # a library may make its own of it
            ended = execution.stop.interrupted("outside of training")
        if execution.processes.is_first and _complete(execution) is None:
            is_interrupted = isinstance(ended, Interrupted)
            ending = Ending(
                status="interrupted" if is_interrupted else "failed",
                reason=str(ended) if is_interrupted else " ".join(f"{type(error).__name__}: {error}".split()),
                cost={"seconds": time.perf_counter() - begin},
            )
            try:
                write_record(execution, ending, tracker)
            except RecordError as unwritten:  # a full disk: what ended the run is raised all the same
                print(unwritten, file=sys.stderr)
        if ended is not error:
            raise ended from error
        raise


def _complete(execution: Execution) -> RunRecord | None:
    """The record of the run if it is complete; a damaged one is set aside, and the run is repeated."""
    try:
        record = execution.files.read()
    except DamagedRecord as error:
        if execution.processes.is_first:
            print(f"{error.asked} is damaged ({error.why}); set aside as {set_aside(execution.files.record).name}")
        return None
    return record if record is not None and record.status == "complete" else None


def _check_kept(execution: Execution) -> None:
    """A run may have been done without keeping its model, which is asked for now.

    Raises:
        ConfigError: it was.
    """
    if execution.saves_model and not execution.files.deltas.exists():
        why = f"the run is done already ({execution.files.record}), and its model was not kept"
        raise ConfigError("save_model=true", why, "force=true too, which runs it again; or leave it out")


def _lost(execution: Execution) -> list[str]:
    """Which of the files of a complete run are not there, of those that are wanted."""
    files, design = execution.files, execution.spec.design
    there = {"predictions": any(files.predictions.parent.glob(f"{files.predictions.name}*"))}
    if execution.saves_deltas and not isinstance(design, FullFineTuning | Frozen):
        there["deltas"] = any(files.deltas.glob("*.safetensors"))
    return [what for what, is_there in there.items() if not is_there]


def _other_headline(done: RunRecord, asked: str) -> str:
    """A sentence where the record has another headline score than is asked: the order of metrics makes no other run."""
    its = done.coordinates["metric"]
    if its == asked:
        return ""
    return (
        f" Its score in tables is {its}, which stood first when it ran; in a report, --metric {asked} shows the other."
    )


def _get_everything(spec: RunSpec, store: RecordStore) -> dict[str, Rows]:
    """The rows of all splits, after checking that results folder, data and weights all exist."""
    problems: list[UserError] = []
    rows: dict[str, Rows] = {}
    for check in (store.check_writable, lambda: rows.update(load_all(spec.task)), spec.backbone.weights.check):
        try:
            check()
        except UserError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)
    return rows
