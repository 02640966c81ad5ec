"""The composition root: configuration to record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unidelta import checkpoint
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.errors import Problems, UserError
from unidelta.plan import prepare
from unidelta.records.identity import run_id
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.summary import print_record
from unidelta.tasks import Rows, fingerprint, load_all


def run(config: RunConfig, *, command: Sequence[str]) -> RunRecord | None:
    """Do what a configuration asks for, or find that it is done already.

    Args:
        config: the composed configuration.
        command: the command line, for the record.

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
    store = RecordStore(root=Path(config.results_dir))
    rows = _get_everything(spec, store)
    identity = _identity(spec, rows)
    name = run_id(identity)
    place = {"scale": spec.scale, "task": spec.task.name, "run_id": name}
    done = None if config.force else store.read(**place)
    if done is not None and done.status == "complete":
        print(f"This run is done already; force=true runs it again.\n{print_record(done, store)}")
        return done
    from unidelta.execute import execute  # late, as above

    record, predictions = execute(spec, rows, identity, name=name, command=command)
    if predictions:
        store.write_predictions(predictions, **place)
    store.write(record)
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
    try:
        if weights is not None and not checkpoint.is_local(weights):
            checkpoint.check_hub(weights, spec.backbone.revision)
    except UserError as error:
        problems.append(error)
    if problems:
        raise Problems(problems)
    return rows


def _identity(spec: RunSpec, rows: dict[str, Rows]) -> dict[str, Any]:
    """The full scientific spec: what was asked, with contents in place of paths."""
    backbone = spec.backbone
    weights = f"mini-{backbone.architecture.family}"
    if backbone.checkpoint is not None:
        weights = checkpoint.fingerprint(backbone.checkpoint, backbone.revision)
    identity = {**spec.scientific(), "data": {split: fingerprint(data) for split, data in rows.items()}}
    identity["backbone"]["checkpoint"] = weights
    return identity
