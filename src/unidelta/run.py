"""The composition root: configuration to record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unidelta import checkpoint
from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.errors import Problems, UserError
from unidelta.mini.shipped import checked_weights, miniature
from unidelta.mini.shipped import fingerprint as fingerprint_of_weights
from unidelta.plan import prepare
from unidelta.records.identity import run_id
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.summary import coordinates, print_record
from unidelta.tasks import Rows, fingerprint, load_all
from unidelta.tracking import RunFacts, start_tracking
from unidelta.tracking.spec import NOT_TRACKED
from unidelta.training.processes import ALONE, Processes, gather


def run(config: RunConfig, *, command: Sequence[str], processes: Processes = ALONE) -> RunRecord | None:
    """Do what a configuration asks for, or find that it is done already.

    Args:
        config: the composed configuration.
        command: the command line, for the record.
        processes: this process, and of how many do the run together; the first one writes.

    Returns:
        The record; None for a dry run.

    Raises:
        UserError: if design, data, checkpoint or results folder are not to be had; nothing was written.
    """
    spec = prepare(config)
    if config.dry_run:
        from unidelta.dry_run import dry_run  # late: torch and transformers take seconds to import

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
    done = None if config.force else store.read(**place)
    if done is not None and done.status == "complete":
        print(f"This run is done already; force=true runs it again.\n{print_record(done, store)}")
        return done
    facts = RunFacts(run_id=name, coordinates=coordinates(spec), spec=scientific)
    tracking = resolve_tracking(config) if processes.is_first else NOT_TRACKED
    with start_tracking(tracking, facts) as tracker:
        from unidelta.execute import execute  # late, as above; and W&B takes a second longer once torch is imported

        record, predictions, history = execute(
            spec, rows, scientific, name=name, command=command, on_log=tracker.log, processes=processes
        )
        if processes.is_first:
            record = tracker.noted(record)
            if predictions:
                store.write_predictions(predictions, **place)
            store.write_history(history, **place)
            store.write(record)
            if record != (record := tracker.finish(record, predictions)):
                store.write(record)
    gather(None, processes)  # none goes on, or ends with an error status, before the record is there
    print(print_record(record, store))
    return record


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
    folder = miniature(weights, spec.backbone.architecture.family)
    try:
        if folder is not None:
            checked_weights(folder)
        elif weights is not None and not checkpoint.is_local(weights):
            checkpoint.check_hub(weights, spec.backbone.revision)
    except UserError as error:
        problems.append(error)
    if problems:
        raise Problems(problems)
    return rows


def identity(spec: RunSpec, rows: dict[str, Rows]) -> dict[str, Any]:
    """The full scientific spec: what was asked, with contents in place of paths."""
    data = {split: fingerprint(part) for split, part in rows.items()}
    return identity_of_contents(spec, data=data, weights=name_of_weights(spec))


def identity_of_contents(spec: RunSpec, *, data: dict[str, str], weights: str) -> dict[str, Any]:
    """The same, of contents that were read before: a sweep reads them once for many runs.

    Args:
        spec: the run.
        data: fingerprints of its rows, by split.
        weights: of `name_of_weights`.
    """
    scientific = {**spec.scientific(), "data": data}
    scientific["backbone"]["checkpoint"] = weights
    return scientific


def name_of_weights(spec: RunSpec) -> str:
    """What the weights of a run's backbone are known by: their SHA-256, or hub id and revision.

    Raises:
        CheckpointError: a miniature's weights are missing or altered.
    """
    backbone = spec.backbone
    folder = miniature(backbone.checkpoint, backbone.architecture.family)
    if folder is not None:
        return fingerprint_of_weights(checked_weights(folder))
    assert backbone.checkpoint is not None  # where nothing is typed, the miniature is meant
    return checkpoint.fingerprint(backbone.checkpoint, backbone.revision)
