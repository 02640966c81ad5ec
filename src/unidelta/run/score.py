"""Score a trained model: metrics of every split, and every prediction on the reported ones."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from unidelta.fast.switch import merged
from unidelta.injection.injection import Injection
from unidelta.mini.parts import shares
from unidelta.tasks import Rows
from unidelta.tasks.encode import Encoded
from unidelta.tasks.labels import spelled
from unidelta.tasks.metrics.scored import interval_signature, signature
from unidelta.training.evaluate import Evaluator
from unidelta.training.precision import resolve_precision
from unidelta.training.result import TrainResult


def score(
    evaluator: Evaluator,
    injection: Injection,
    encoded: dict[str, Encoded],
    rows: dict[str, Rows],
    trained: TrainResult,
    *,
    fast: bool,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Metrics of every split except training, and every prediction on the reported ones.

    A dev split that is not reported was already scored when the best step was selected, if anything was trained. A dev
    split that is reported is scored whole; its first examples, which selected the best step, are also scored from the
    same predictions, under a separate key such as `validation[:1600]`.

    Args:
        evaluator: the trained model with its task.
        injection: of the same model; its prefixes are folded here.
        encoded: every split.
        rows: the examples of every split, before encoding.
        trained: the result of training, with the dev scores of the best step.
        fast: whether deltas are merged into the weights meanwhile, where that is exact.

    Returns:
        Metrics by split, with the signatures of the metrics and of their intervals, the names of those of which a low
        one is a good one, and on the miniature's rows the shares of right parts; and one row per prediction, with the
        scores of that example.
    """
    injection.fold()  # the same function without the prefixes' MLP
    task, dev = evaluator.task, evaluator.task.eval_split
    metrics: dict[str, Any] = {"signature": signature(task.scorers()), "interval_signature": interval_signature()}
    if errors := [key for metric in task.scorers() if not metric.higher_is_better for key in metric.keys]:
        metrics["lower_is_better"] = errors
    is_scored = bool(trained.best_metrics) and not task.reports_dev
    if is_scored:
        metrics[dev] = {**trained.best_metrics, "n": len(encoded[dev])}
    predictions: list[dict[str, Any]] = []
    for split in (name for name in encoded if name != "train" and not (is_scored and name == dev)):
        features = encoded[split].features
        raw = [task.target(row) for row in rows[split]] if task.generates else None
        n = task.max_eval_examples
        is_cut = split == dev and n is not None and n < len(features)
        # in half precision, merging rounds the weight once more
        with merged(injection) if fast and resolve_precision(evaluator.spec) == "fp32" else nullcontext():
            result = evaluator.evaluate(features, raw_references=raw)
            loss = evaluator.evaluate(features[:n], loss_only=True).metrics["loss"] if is_cut else None
        assert result.scored is not None  # it is None only if just the loss was requested
        metrics[split] = {"loss": result.metrics["loss"], **result.scored.report()}
        if task.source == "mini":
            metrics[split]["parts"] = shares(task.name, rows[split], result.predictions, seed=task.world)
        if is_cut:
            metrics[f"{dev}[:{n}]"] = {"loss": loss, **result.scored.report(n)}
        columns: dict[str, Sequence[Any]] = {"prediction": result.predictions, "reference": result.references}
        if raw is not None:
            columns["raw_reference"] = raw
        else:
            like = [task.label(row) for row in rows[split]]
            columns = {name: spelled(list(map(int, found)), task.labels, like=like) for name, found in columns.items()}
        for i, values in enumerate(zip(*columns.values(), strict=True)):
            own = result.scored.per_example(i)
            predictions.append({"split": split, "index": i, **dict(zip(columns, values, strict=True)), **own})
    return metrics, predictions
