"""Do a run: load, inject, train, evaluate, and say it all in a record."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from unidelta.config.run_spec import RunSpec
from unidelta.families.inject import Injection, fold, inject
from unidelta.families.pretrained import load_backbone, load_config
from unidelta.mini.placeholder import backbone as mini_backbone
from unidelta.paths import PACKAGE
from unidelta.records.provenance import provenance
from unidelta.records.record import RunRecord
from unidelta.summary import coordinates, parameters, print_design
from unidelta.tasks import TASKS, Rows
from unidelta.tasks.encode import Encoded, ModelLimits, encode
from unidelta.training.check import check_training
from unidelta.training.evaluate import EvalResult, evaluate
from unidelta.training.precision import resolve_device, resolve_precision
from unidelta.training.train import TrainResult, train

_MINI_SEED = 0  # of the embedded backbones: they stand for pretrained weights, the same for every run


def execute(
    spec: RunSpec, rows: dict[str, Rows], identity: dict[str, Any], *, name: str, command: Sequence[str]
) -> tuple[RunRecord, list[dict[str, Any]]]:
    """Load, inject, train and evaluate.

    Args:
        spec: the run.
        rows: the rows of every split.
        identity: the scientific spec that goes into the record.
        name: the run's id.
        command: the command line, for the record.

    Returns:
        The record and the predictions, one row each.

    Raises:
        UserError: if the checkpoint or the settings cannot be used on this machine.
    """
    logging.set_verbosity_error()
    check_training(spec.training)
    model, tokenizer = _load(spec)
    injection = inject(model, spec.design, generator=torch.Generator().manual_seed(spec.seed))
    limits = ModelLimits.of(model.config)
    encoded = {
        split: encode(data, spec=spec.task, tokenizer=tokenizer, limits=limits, for_training=split == "train")
        for split, data in rows.items()
    }
    print(print_design(spec), flush=True)
    with tempfile.TemporaryDirectory(prefix="unidelta-") as scratch:
        result = train(
            model,
            encoded["train"],
            encoded[spec.task.eval_split],
            task=spec.task,
            tokenizer=tokenizer,
            spec=spec.training,
            seed=spec.seed,
            output_dir=Path(scratch),
            on_log=lambda entry: None,
        )
    metrics, predictions = {}, []
    if result.status == "complete":
        metrics, predictions = _evaluate(injection, encoded, spec, tokenizer)
    record = RunRecord(
        run_id=name,
        status=result.status,
        reason=result.reason,
        coordinates=coordinates(spec),
        spec=identity,
        parameters=parameters(spec),
        metrics=metrics,
        cost=_cost(result, encoded),
        provenance=provenance(command=command, device=resolve_device(spec.training), checkout=PACKAGE),
        history=result.history,
    )
    return record, predictions


def _load(spec: RunSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    backbone = spec.backbone
    n_labels = TASKS[spec.task.name].n_labels
    if backbone.checkpoint is None:
        model, tokenizer = mini_backbone(backbone.architecture.family, seed=_MINI_SEED, n_labels=n_labels)
        model.set_attn_implementation(backbone.attn_implementation)
        return model, tokenizer
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
    injection: Injection, encoded: dict[str, Encoded], spec: RunSpec, tokenizer: PreTrainedTokenizerBase
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Metrics of every split but the training one, and every prediction."""
    fold(injection)  # the same function without the prefixes' MLP
    metrics: dict[str, Any] = {"signature": TASKS[spec.task.name].metric.signature()}
    predictions: list[dict[str, Any]] = []
    for split in encoded.keys() - {"train"}:
        result: EvalResult = evaluate(
            injection.model,
            encoded[split].features,
            task=spec.task,
            tokenizer=tokenizer,
            batch_size=spec.training.eval_batch_size,
            precision=resolve_precision(spec.training),
            progress=spec.training.progress,
        )
        metrics[split] = {**result.metrics, "n": len(result.predictions)}
        pairs = zip(result.predictions, result.references, strict=True)
        predictions += [
            {"split": split, "index": i, "prediction": prediction, "reference": reference}
            for i, (prediction, reference) in enumerate(pairs)
        ]
    return metrics, predictions


def _cost(result: TrainResult, encoded: dict[str, Encoded]) -> dict[str, Any]:
    return {
        "steps": result.steps,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "seconds_per_step": result.seconds_per_step,
        "n_overflows": result.n_overflows,
        "threads": torch.get_num_threads(),
        "truncated_sources": {split: data.n_truncated_sources for split, data in encoded.items()},
        "truncated_targets": {split: data.n_truncated_targets for split, data in encoded.items()},
    }
