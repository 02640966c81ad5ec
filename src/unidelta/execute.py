"""Do a run: load, inject, train, evaluate, and say it all in a record."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from unidelta.checkpoint import cached_commit, is_local
from unidelta.config.run_spec import RunSpec
from unidelta.design.axes import Init
from unidelta.design.spec import Deltas
from unidelta.families.activations import Activations, activations
from unidelta.families.inject import Injection, fold, inject
from unidelta.families.merge import merged
from unidelta.families.pretrained import load_backbone, load_config
from unidelta.mini.backbone import backbone as mini_backbone
from unidelta.mini.shipped import miniature
from unidelta.paths import PACKAGE, cache_folder
from unidelta.records.provenance import provenance
from unidelta.records.record import RunRecord
from unidelta.summary import coordinates, parameters, print_design
from unidelta.tasks import TASKS, Rows, commit
from unidelta.tasks.collate import collator
from unidelta.tasks.encode import Encoded, ModelLimits
from unidelta.tasks.encoded_cache import Kept, encode_or_read
from unidelta.tasks.features import Feature
from unidelta.tasks.metrics.scored import interval_signature
from unidelta.training.check import check_training
from unidelta.training.evaluate import EvalResult, evaluate
from unidelta.training.precision import resolve_device, resolve_precision
from unidelta.training.processes import ALONE, Processes, connect
from unidelta.training.train import UNTRAINED, HistoryEntry, TrainResult, train

_N_START_EXAMPLES = 32  # several times as many tokens as the longest prefix in use


def execute(
    spec: RunSpec,
    rows: dict[str, Rows],
    identity: dict[str, Any],
    *,
    name: str,
    command: Sequence[str],
    processes: Processes = ALONE,
) -> tuple[RunRecord, list[dict[str, Any]], Sequence[HistoryEntry]]:
    """Load, inject, train and evaluate.

    Args:
        spec: the run.
        rows: the rows of every split.
        identity: the scientific spec that goes into the record.
        name: the run's id.
        command: the command line, for the record.
        processes: this process, and of how many; all of them return the same numbers.

    Returns:
        The record, the predictions, one row each, and the history, one entry a step.

    Raises:
        UserError: if the checkpoint or the settings cannot be used on this machine.
    """
    logging.set_verbosity_error()
    check_training(spec.training)
    connect(processes, device=resolve_device(spec.training))
    if spec.scale == "mini" and "OMP_NUM_THREADS" not in os.environ:
        # Matrices this small gain little from a second thread, and lose much where another program has its core.
        torch.set_num_threads(1)
    model, tokenizer = _load(spec)
    encoded = _encode(rows, identity["data"], spec, tokenizer, ModelLimits.of(model.config))
    generator = torch.Generator().manual_seed(spec.seed)
    start = _prefix_start(model, encoded["train"], spec, tokenizer, generator)
    injection = inject(model, spec.design, generator=generator, start=start)
    print(print_design(spec), flush=True)
    result = _train(injection, encoded, spec, tokenizer, processes)
    metrics, predictions = {}, []
    if result.status == "complete":
        metrics, predictions = _evaluate(injection, encoded, rows, spec, tokenizer, result, processes)
    record = RunRecord(
        run_id=name,
        status=result.status,
        reason=result.reason,
        coordinates=coordinates(spec),
        spec=identity,
        parameters=parameters(spec),
        metrics=metrics,
        cost={**_cost(result, encoded), "processes": processes.n},
        provenance={
            **provenance(command=command, device=resolve_device(spec.training), checkout=PACKAGE),
            "revisions": {"data": commit(rows), "weights": _commit_of_weights(spec)},
        },
    )
    return record, predictions, result.history


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
) -> TrainResult:
    """Train what the design tunes, if it tunes anything."""
    if not injection.trained:
        return UNTRAINED
    dev = encoded[spec.task.eval_split]
    with tempfile.TemporaryDirectory(prefix="unidelta-") as scratch:
        return train(
            injection.model,
            encoded["train"],
            replace(dev, features=dev.features[: spec.task.max_eval_examples]),
            task=spec.task,
            tokenizer=tokenizer,
            spec=spec.training,
            seed=spec.seed,
            output_dir=Path(scratch),
            on_log=lambda entry: None,
            processes=processes,
        )


def _load(spec: RunSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    backbone = spec.backbone
    n_labels = TASKS[spec.task.name].n_labels
    family = backbone.architecture.family
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


def _evaluate(
    injection: Injection,
    encoded: dict[str, Encoded],
    rows: dict[str, Rows],
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    trained: TrainResult,
    processes: Processes,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Metrics of every split but the training one, and every prediction on the reported ones.

    A dev split that is not reported was scored when the best step was chosen, if anything was trained. One that is
    reported is scored whole, and its first rows, on which the best step was chosen, under a key of their own:
    `validation[:1600]`, from the same predictions.
    """
    fold(injection)  # the same function without the prefixes' MLP
    kind, dev = TASKS[spec.task.name], spec.task.eval_split
    metrics: dict[str, Any] = {"signature": kind.metric.signature(), "interval_signature": interval_signature()}
    is_scored = bool(trained.best_metrics) and not spec.task.reports_dev
    if is_scored:
        metrics[dev] = {**trained.best_metrics, "n": len(encoded[dev])}
    predictions: list[dict[str, Any]] = []
    for split in (name for name in encoded if name != "train" and not (is_scored and name == dev)):
        features = encoded[split].features
        raw = [kind.target(row) for row in rows[split]] if kind.kind == "seq2seq" else None
        result = _scored(injection, features, spec, tokenizer, processes, raw_references=raw)
        assert result.scored is not None  # only where nothing but the loss is asked for
        metrics[split] = {"loss": result.metrics["loss"], **result.scored.report()}
        n = spec.task.max_eval_examples
        if split == dev and n is not None and n < len(features):
            loss = _scored(injection, features[:n], spec, tokenizer, processes, loss_only=True).metrics["loss"]
            metrics[f"{dev}[:{n}]"] = {"loss": loss, **result.scored.report(n)}
        columns = {"prediction": result.predictions, "reference": result.references}
        if raw is not None:
            columns["raw_reference"] = raw
        for i, values in enumerate(zip(*columns.values(), strict=True)):
            predictions.append({"split": split, "index": i, **dict(zip(columns, values, strict=True))})
    return metrics, predictions


def _scored(
    injection: Injection,
    features: Sequence[Feature],
    spec: RunSpec,
    tokenizer: PreTrainedTokenizerBase,
    processes: Processes,
    **how: Any,
) -> EvalResult:
    precision = resolve_precision(spec.training)
    # in half precision a merged weight is rounded once more
    with merged(injection) if precision == "fp32" else nullcontext():
        return evaluate(
            injection.model,
            features,
            task=spec.task,
            tokenizer=tokenizer,
            batch_size=spec.training.eval_batch_size,
            precision=precision,
            progress=spec.training.progress and processes.is_first,
            processes=processes,
            **how,
        )


def _cost(result: TrainResult, encoded: dict[str, Encoded]) -> dict[str, Any]:
    return {
        "steps": result.steps,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "seconds_per_step": result.seconds_per_step,
        "n_overflows": result.n_overflows,
        "batches_per_epoch": result.batches_per_epoch,
        "tokens_per_batch": result.tokens_per_batch,
        "threads": torch.get_num_threads(),
        "truncated_sources": {split: data.n_truncated_sources for split, data in encoded.items()},
        "truncated_targets": {split: data.n_truncated_targets for split, data in encoded.items()},
        "empty_sources": {split: data.n_empty_sources for split, data in encoded.items()},
        "empty_targets": {split: data.n_empty_targets for split, data in encoded.items()},
    }
