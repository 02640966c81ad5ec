"""What a trained model scores: metrics of every split, and every prediction on the reported ones."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from transformers import PreTrainedTokenizerBase

from unidelta.config.run_spec import RunSpec
from unidelta.fast.switch import merged
from unidelta.injection.injection import Injection
from unidelta.tasks import Rows
from unidelta.tasks.encode import Encoded
from unidelta.tasks.features import Feature
from unidelta.tasks.labels import spelled
from unidelta.tasks.metrics.scored import interval_signature, signature
from unidelta.training.evaluate import EvalResult, evaluate
from unidelta.training.precision import resolve_precision
from unidelta.training.processes import Processes
from unidelta.training.result import TrainResult


def score(
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

    Args:
        injection: the trained model; its prefixes are folded here.
        encoded: every split.
        rows: the same, as they came.
        spec: the run.
        tokenizer: the backbone's.
        trained: how training ended, with what the best step scored on dev.
        processes: this process, and of how many; all of them return the same.

    Returns:
        Metrics by split, with the signatures of the metrics and of their intervals; predictions, a row each, with
        its own scores.
    """
    injection.fold()  # the same function without the prefixes' MLP
    task, dev = spec.task, spec.task.eval_split
    metrics: dict[str, Any] = {"signature": signature(task.scorers()), "interval_signature": interval_signature()}
    is_scored = bool(trained.best_metrics) and not spec.task.reports_dev
    if is_scored:
        metrics[dev] = {**trained.best_metrics, "n": len(encoded[dev])}
    predictions: list[dict[str, Any]] = []
    for split in (name for name in encoded if name != "train" and not (is_scored and name == dev)):
        features = encoded[split].features
        raw = [task.target(row) for row in rows[split]] if task.generates else None
        result = _scored(injection, features, spec, tokenizer, processes, raw_references=raw)
        assert result.scored is not None  # only where nothing but the loss is asked for
        metrics[split] = {"loss": result.metrics["loss"], **result.scored.report()}
        n = spec.task.max_eval_examples
        if split == dev and n is not None and n < len(features):
            loss = _scored(injection, features[:n], spec, tokenizer, processes, loss_only=True).metrics["loss"]
            metrics[f"{dev}[:{n}]"] = {"loss": loss, **result.scored.report(n)}
        columns: dict[str, Sequence[Any]] = {"prediction": result.predictions, "reference": result.references}
        if raw is not None:
            columns["raw_reference"] = raw
        else:
            like = task.label(next(iter(rows[split])))
            columns = {name: spelled(list(map(int, found)), task.labels, like=like) for name, found in columns.items()}
        for i, values in enumerate(zip(*columns.values(), strict=True)):
            own = result.scored.per_example(i)
            predictions.append({"split": split, "index": i, **dict(zip(columns, values, strict=True)), **own})
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
    with merged(injection) if spec.fast and precision == "fp32" else nullcontext():
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
