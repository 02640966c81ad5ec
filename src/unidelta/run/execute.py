"""Execute a run: load, inject, train, evaluate, and write a record."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.config.run_spec import RunSpec
from unidelta.design.axes import Init
from unidelta.design.design_json import design_to_dict
from unidelta.design.spec import parts_of
from unidelta.errors import RecordError
from unidelta.fast.half_weights import store_frozen
from unidelta.fast.switch import speed_up
from unidelta.injection.activations import activations
from unidelta.injection.inject import Activations, inject
from unidelta.injection.injection import Injection
from unidelta.injection.saved import name_labels
from unidelta.records.attempt import Attempt, refuses_other_machines
from unidelta.records.record import RunRecord
from unidelta.run.cache_folder import cache_folder
from unidelta.run.describe import checkpoint_lines, design_text
from unidelta.run.execution import Execution
from unidelta.run.hardware import device_name, kernels
from unidelta.run.keep import keep
from unidelta.run.record import Ending, write_record
from unidelta.run.score import score
from unidelta.tasks import Rows, commit
from unidelta.tasks.collate import collator
from unidelta.tasks.encode import Encoded, ModelLimits
from unidelta.tasks.encoded_cache import Kept, encode
from unidelta.tasks.metrics.tried import try_metrics
from unidelta.tasks.readable import Unknown, check_readable, unknown_tokens, unreadable_lines, unreadable_references
from unidelta.tracking import RunTracker
from unidelta.training.check import check_training
from unidelta.training.evaluate import Evaluator
from unidelta.training.loop import train
from unidelta.training.precision import ARITHMETIC, frozen_dtype, resolve_device, resolve_precision
from unidelta.training.processes import connect, gather
from unidelta.training.result import UNTRAINED, TrainResult
from unidelta.training.saving import Continuation

_N_START_EXAMPLES = 32  # several times as many tokens as the longest prefix in use


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What is trained and scored.

    Args:
        injection: the backbone with the deltas in it.
        backbone: the same model as it was loaded, with its tokenizer.
        evaluator: the same model with its task and settings.
        encoded: the token ids of every split.
        unknown: how many of them are unknown tokens, by split and side.
        unreadable: references in which a metric finds no word, by split and metric.
    """

    injection: Injection
    backbone: LoadedBackbone
    evaluator: Evaluator
    encoded: dict[str, Encoded]
    unknown: dict[str, dict[str, Unknown]]
    unreadable: dict[str, dict[str, int]]


def execute(
    execution: Execution, rows: dict[str, Rows], tracker: RunTracker
) -> tuple[RunRecord, Sequence[Mapping[str, Any]]]:
    """Load, inject, train, evaluate and record; resume an earlier attempt that was interrupted.

    The first process writes, and it writes the record last: if there is a record, all other files are complete.

    Args:
        execution: the run.
        rows: the rows of every split.
        tracker: receives every entry of the history as it is logged.

    Returns:
        The record and the predictions; equal numbers in all processes.

    Raises:
        Interrupted: the run was asked to stop.
        UserError: the checkpoint or the settings cannot be used on this machine, or the disk is full.
    """
    spec, processes, stop = execution.spec, execution.processes, execution.stop
    logging.set_verbosity_error()
    check_training(spec.training)
    connect(processes, device=resolve_device(spec.training))
    if spec.scale == "mini" and "OMP_NUM_THREADS" not in os.environ:
        # A second thread helps little with matrices this small, and hurts if another program is using its core.
        torch.set_num_threads(1)
    first = islice(rows[spec.task.eval_split], 3)
    try_metrics(spec.task.scorers(), [spec.task.target(row) for row in first])
    loaded = _load(execution, rows)
    said = [*unreadable_lines(loaded.unknown, loaded.unreadable), *checkpoint_lines(loaded.backbone)]
    print("\n".join([design_text(spec), *(f"  {line}" for line in said)]), flush=True)
    with _attempt(execution) as attempt:
        resumed, changes = (attempt.resumed, attempt.changes) if attempt is not None else (0, ())
        with stop.deferred():
            result = _train(execution, loaded, tracker, attempt)
        metrics, predictions = {}, []
        if result.status == "complete":
            stop.raise_if_asked(f"after training, {result.steps} steps")
            metrics, predictions = score(
                loaded.evaluator, loaded.injection, loaded.encoded, rows, result, fast=spec.fast
            )
        ending = Ending(
            status=result.status,
            reason=result.reason,
            metrics=metrics,
            cost={**_cost(result, loaded), "resumed": resumed},
            backbone={"new": list(loaded.backbone.new), "head": loaded.backbone.inherited},
            revisions={"data": commit(rows), "weights": spec.backbone.weights.commit()},
            changes=changes,
        )
        with stop.deferred():
            if attempt is not None:
                attempt.put_history()
                if predictions:
                    execution.files.write_predictions(predictions)
                if ending.status == "complete":
                    keep(execution, loaded.injection, loaded.backbone, metrics)
            record = write_record(execution, ending, tracker)
            if attempt is not None and record.status == "complete":
                attempt.remove_checkpoints()
            gather(None, processes)  # no process continues, or exits with an error, before the record is written
    return record, predictions


def _load(execution: Execution, rows: dict[str, Rows]) -> Loaded:
    """The backbone with the deltas in it, its tokenizer, and the token ids of every split."""
    spec, backbone = execution.spec, execution.spec.backbone
    how = Loading(
        seed=spec.seed,
        n_labels=spec.task.n_outputs,
        labels=spec.task.labels,
        head=backbone.head,
        attn_implementation=backbone.attn_implementation,
        dropout=backbone.dropout,
        attention_dropout=backbone.attention_dropout,
        quantised=backbone.quantised,
        arithmetic=ARITHMETIC[resolve_precision(spec.training)],
    )
    found = backbone.weights.load(how)
    model, tokenizer = found.model, found.tokenizer
    if spec.task.n_outputs:
        name_labels(model, spec.task.labels)
    limits = ModelLimits(vocab_size=model.config.vocab_size, n_positions=backbone.architecture.max_positions)
    folder, fingerprints = cache_folder(), execution.identity["data"]
    encoded = {
        split: encode(
            data,
            spec=spec.task,
            tokenizer=tokenizer,
            limits=limits,
            split=split,
            kept=Kept(folder=folder, fingerprint=fingerprints[split]) if folder else None,
        )
        for split, data in rows.items()
    }
    unknown = {split: unknown_tokens(each, spec.task, tokenizer) for split, each in encoded.items()}
    check_readable(unknown, spec.task)
    unreadable = {split: unreadable_references(each, spec.task) for split, each in rows.items() if split != "train"}
    generator = torch.Generator().manual_seed(spec.seed)
    start = _prefix_start(model, encoded["train"], spec, tokenizer, generator)
    injection = inject(model, spec.design, generator=generator, start=start)
    if spec.fast:
        speed_up(injection)
    store_frozen(injection, frozen_dtype(spec.training), new=found.new)
    injection.model.to(torch.device(resolve_device(spec.training)))  # pyright: ignore[reportArgumentType]
    evaluator = Evaluator(
        model=injection.model, tokenizer=tokenizer, task=spec.task, spec=spec.training, processes=execution.processes
    )
    return Loaded(
        injection=injection,
        backbone=found,
        evaluator=evaluator,
        encoded=encoded,
        unknown=unknown,
        unreadable=unreadable,
    )


def _attempt(execution: Execution) -> AbstractContextManager[Attempt | None]:
    """The attempt, in the first process only. A GPU is not bit-reproducible, so there a run may change its machine."""
    if not execution.processes.is_first:
        return nullcontext()
    spec = execution.spec
    identity = {"design": design_to_dict(spec.design), "processes": execution.processes.n}
    machine = {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "kernels": kernels(),
        "device": device_name(spec.training),
        "precision": resolve_precision(spec.training),
        "gradient_checkpointing": spec.training.gradient_checkpointing,
    }
    is_strict = refuses_other_machines(spec.resume, device=resolve_device(spec.training))
    return closing(
        Attempt(execution.files, identity=identity, machine=machine, is_strict=is_strict, is_repeat=execution.is_repeat)
    )


def _prefix_start(
    model: PreTrainedModel,
    encoded: Encoded,
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    generator: torch.Generator,
) -> Activations | None:
    """What a prefix with `init=activations` starts from: tokens of the first training examples."""
    for part in parts_of(spec.design):
        if part.init is Init.ACTIVATIONS:
            collate = collator(spec.task, model=model, tokenizer=tokenizer, pad_to_multiple_of=1)
            batch = collate(encoded.features[:_N_START_EXAMPLES])
            return activations(model, batch, length=part.bottleneck, generator=generator)
    return None


def _train(execution: Execution, loaded: Loaded, tracker: RunTracker, attempt: Attempt | None) -> TrainResult:
    """Train what the design tunes, if it tunes anything."""
    spec, processes, encoded = execution.spec, execution.processes, loaded.encoded
    if not loaded.injection.trained:
        return UNTRAINED

    def log(entry: Mapping[str, float], speed: Mapping[str, float]) -> None:
        if attempt is not None:
            attempt.log(entry)
        tracker.log({**entry, **speed})

    # The other processes write nothing, but must read the same checkpoint.
    save = attempt.save if attempt is not None else lambda step, write: None
    start, before = gather((attempt.start, attempt.before) if attempt is not None else (None, ()), processes)[0]
    if start is not None and not start.folder.is_dir():
        why = "this process, on another machine than the first, does not see that folder"
        raise RecordError(
            f"continue from {start.folder}", why, "results_dir=DIR on a file system that all machines share"
        )
    if start is not None:
        print(f"Continuing after step {start.step}: {start.folder}", flush=True)
    for entry in before:
        tracker.log(entry)
    dev = encoded[spec.task.eval_split]
    return train(
        loaded.evaluator,
        encoded["train"],
        replace(dev, features=dev.features[: spec.task.max_eval_examples]),
        seed=spec.seed,
        on_log=log,
        continuation=Continuation(save=save, start=start and start.folder, before=before, stop=execution.stop),
    )


def _cost(result: TrainResult, loaded: Loaded) -> dict[str, Any]:
    encoded = loaded.encoded
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
        "unknown_tokens": {
            split: {side: asdict(tokens) for side, tokens in sides.items()} for split, sides in loaded.unknown.items()
        },
        "unreadable_references": loaded.unreadable,
    }
