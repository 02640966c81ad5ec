"""Do a run: load, inject, train, evaluate, and say it all in a record."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from unidelta.backbones.checkpoint import cached_commit
from unidelta.backbones.miniature import backbone as mini_backbone
from unidelta.backbones.pretrained import load_backbone, load_config
from unidelta.backbones.shipped import miniature
from unidelta.config.run_spec import RunSpec
from unidelta.design.axes import Init
from unidelta.design.design_json import design_to_dict
from unidelta.design.spec import Deltas
from unidelta.extensions.named_paths import is_local
from unidelta.extensions.paths import PACKAGE
from unidelta.fast.switch import speed_up
from unidelta.injection import saved
from unidelta.injection.activations import activations
from unidelta.injection.inject import Activations, inject
from unidelta.injection.injection import Injection
from unidelta.records.attempt import Attempt
from unidelta.records.provenance import provenance
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.run.cache_folder import cache_folder
from unidelta.run.coordinates import coordinates, parameters
from unidelta.run.describe import print_design
from unidelta.run.score import score
from unidelta.tasks import TASKS, Rows, commit
from unidelta.tasks.collate import collator
from unidelta.tasks.encode import Encoded, ModelLimits
from unidelta.tasks.encoded_cache import Kept, encode_or_read
from unidelta.tracking import CarefulTracker
from unidelta.training.check import check_training
from unidelta.training.loop import train
from unidelta.training.precision import resolve_device
from unidelta.training.processes import Processes, connect, gather
from unidelta.training.result import UNTRAINED, TrainResult
from unidelta.training.saving import Continuation
from unidelta.training.stopping import Stop

_N_START_EXAMPLES = 32  # several times as many tokens as the longest prefix in use


def execute(
    spec: RunSpec,
    rows: dict[str, Rows],
    identity: dict[str, Any],
    *,
    store: RecordStore,
    name: str,
    command: Sequence[str],
    tracker: CarefulTracker,
    processes: Processes,
    stop: Stop,
    saves_deltas: bool,
) -> tuple[RunRecord, list[dict[str, Any]]]:
    """Load, inject, train and evaluate; go on where an earlier attempt was broken off.

    The first process writes, the record last: where there is one, everything else is there.

    Args:
        spec: the run.
        rows: the rows of every split.
        identity: the scientific spec that goes into the record.
        store: where everything is written.
        name: the run's id.
        command: the command line, for the record.
        tracker: told every entry of the history as it is made.
        processes: this process, and of how many; all of them return the same numbers.
        stop: whether the run was asked to stop.
        saves_deltas: whether what was tuned is kept (`injection.saved`).

    Returns:
        The record and the predictions.

    Raises:
        Interrupted: the run was asked to stop.
        UserError: if the checkpoint or the settings cannot be used on this machine, or the disk takes no more.
    """
    logging.set_verbosity_error()
    check_training(spec.training)
    connect(processes, device=resolve_device(spec.training))
    if spec.scale == "mini" and "OMP_NUM_THREADS" not in os.environ:
        # Matrices this small gain little from a second thread, and lose much where another program has its core.
        torch.set_num_threads(1)
    model, tokenizer = _load(spec)
    n_positions = spec.backbone.architecture.max_positions
    limits = ModelLimits(vocab_size=model.config.vocab_size, n_positions=n_positions)
    encoded = _encode(rows, identity["data"], spec, tokenizer, limits)
    generator = torch.Generator().manual_seed(spec.seed)
    start = _prefix_start(model, encoded["train"], spec, tokenizer, generator)
    injection = inject(model, spec.design, generator=generator, start=start)
    if spec.fast:
        speed_up(injection)
    print(print_design(spec), flush=True)
    place = {"scale": spec.scale, "task": spec.task.name, "run_id": name}
    with _attempt(store, place, spec, processes) as attempt:
        resumed = attempt.resumed if attempt is not None else 0
        with stop.deferred():
            result = _train(injection, encoded, spec, tokenizer, processes, tracker, attempt, stop)
        metrics, predictions = {}, []
        if result.status == "complete":
            stop.raise_if_asked(f"after training, {result.steps} steps")
            metrics, predictions = score(injection, encoded, rows, spec, tokenizer, result, processes)
        record = RunRecord(
            run_id=name,
            status=result.status,
            reason=result.reason,
            coordinates=coordinates(spec),
            spec=identity,
            parameters=parameters(spec),
            metrics=metrics,
            cost={**_cost(result, encoded), "processes": processes.n, "resumed": resumed},
            provenance={
                **provenance(command=command, device=resolve_device(spec.training), checkout=PACKAGE),
                "revisions": {"data": commit(rows), "weights": _commit_of_weights(spec)},
            },
        )
        record = tracker.noted(record)
        with stop.deferred():
            if attempt is not None:
                attempt.close()
                if predictions:
                    store.write_predictions(predictions, **place)
                if saves_deltas and record.status == "complete" and saved.is_small(spec.design):
                    saved.save(injection, store.deltas_path(**place), run_id=name)
                store.write(record)
                if record.status == "complete":
                    attempt.remove_checkpoints()
            gather(None, processes)  # none goes on, or ends with an error status, before the record is there
    return record, predictions


def _attempt(
    store: RecordStore, place: dict[str, str], spec: RunSpec, processes: Processes
) -> AbstractContextManager[Attempt | None]:
    """Of the first process; with what has to be equal for a run to go on bit for bit."""
    if not processes.is_first:
        return nullcontext()
    device = resolve_device(spec.training)
    circumstances = {
        "design": design_to_dict(spec.design),
        "processes": processes.n,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
    }
    return closing(Attempt(store, place=place, identity=circumstances))


def _encode(
    rows: dict[str, Rows],
    fingerprints: dict[str, str],
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    limits: ModelLimits,
) -> dict[str, Encoded]:
    """The token ids of every split."""
    folder = cache_folder()
    return {
        split: encode_or_read(
            data,
            Kept(folder=folder, fingerprint=fingerprints[split]) if folder else None,
            spec=spec.task,
            tokenizer=tokenizer,
            limits=limits,
            for_training=split == "train",
        )
        for split, data in rows.items()
    }


def _commit_of_weights(spec: RunSpec) -> str | None:
    """The commit of the hub's repository that the weights came from; None for folders."""
    weights = spec.backbone.checkpoint
    return None if weights is None or is_local(weights) else cached_commit(weights, spec.backbone.revision)


def _prefix_start(
    model: PreTrainedModel,
    encoded: Encoded,
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    generator: torch.Generator,
) -> Activations | None:
    """What a prefix with `init=activations` starts from: tokens of the first training examples."""
    parts = spec.design.parts if isinstance(spec.design, Deltas) else ()
    for part in parts:
        if part.init is Init.ACTIVATIONS:
            collate = collator(TASKS[spec.task.name], model=model, tokenizer=tokenizer, pad_to_multiple_of=1)
            batch = collate(encoded.features[:_N_START_EXAMPLES])
            return activations(model, batch, length=part.bottleneck, generator=generator)
    return None


def _train(
    injection: Injection,
    encoded: dict[str, Encoded],
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    processes: Processes,
    tracker: CarefulTracker,
    attempt: Attempt | None,
    stop: Stop,
) -> TrainResult:
    """Train what the design tunes, if it tunes anything."""
    if not injection.trained:
        return UNTRAINED

    def log(entry: Mapping[str, float], speed: Mapping[str, float]) -> None:
        if attempt is not None:
            attempt.log(entry)
        tracker.log({**entry, **speed})

    # The other processes write nothing, but read the same checkpoint.
    save = attempt.save if attempt is not None else lambda step, write: None
    start, before = gather((attempt.start, attempt.before) if attempt is not None else (None, ()), processes)[0]
    if start is not None:
        print(f"Continuing after step {start.step}: {start.folder}", flush=True)
    for entry in before:
        tracker.log(entry)
    dev = encoded[spec.task.eval_split]
    return train(
        injection.model,
        encoded["train"],
        replace(dev, features=dev.features[: spec.task.max_eval_examples]),
        task=spec.task,
        tokenizer=tokenizer,
        spec=spec.training,
        seed=spec.seed,
        on_log=log,
        processes=processes,
        continuation=Continuation(save=save, start=start and start.folder, before=before, stop=stop),
    )


def _load(spec: RunSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    backbone = spec.backbone
    n_labels = TASKS[spec.task.name].n_labels
    family = backbone.architecture.family.name
    folder = miniature(backbone.checkpoint, family)
    if folder is not None:
        model, tokenizer = mini_backbone(
            folder,
            family,
            seed=spec.seed,
            n_labels=n_labels,
            dropout=backbone.dropout,
            attention_dropout=backbone.attention_dropout,
        )
        model.set_attn_implementation(backbone.attn_implementation)
        return model, tokenizer
    assert backbone.checkpoint is not None  # where nothing is typed, the miniature is meant
    return load_backbone(
        backbone.checkpoint,
        load_config(backbone.checkpoint, n_labels=n_labels, revision=backbone.revision),
        attn_implementation=backbone.attn_implementation,
        dropout=backbone.dropout,
        attention_dropout=backbone.attention_dropout,
        seed=spec.seed,
        revision=backbone.revision,
    )


def _cost(result: TrainResult, encoded: dict[str, Encoded]) -> dict[str, Any]:
    return {
        "steps": result.steps,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "seconds_per_step": result.seconds_per_step,
        "tokens_per_second": result.tokens_per_second,
        "peak_memory": result.peak_memory,
        "n_overflows": result.n_overflows,
        "batches_per_epoch": result.batches_per_epoch,
        "tokens_per_batch": result.tokens_per_batch,
        "threads": torch.get_num_threads(),
        "truncated_sources": {split: data.n_truncated_sources for split, data in encoded.items()},
        "truncated_targets": {split: data.n_truncated_targets for split, data in encoded.items()},
        "empty_sources": {split: data.n_empty_sources for split, data in encoded.items()},
        "empty_targets": {split: data.n_empty_targets for split, data in encoded.items()},
    }
