"""Scores of a model on one split: generation for sequence to sequence, argmax for classification.

B batch, S source length, T target length, V vocabulary, C classes.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.tasks import TaskSpec
from unidelta.tasks.collate import IGNORED_LABEL, collator
from unidelta.tasks.features import Feature
from unidelta.tasks.metrics.scored import Scored, scored
from unidelta.training.generation import generation_config
from unidelta.training.loss import logits_of
from unidelta.training.precision import Precision
from unidelta.training.processes import ALONE, Processes, gather

_Output = TypeVar("_Output", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResult:
    """What an evaluation found.

    Args:
        metrics: the task's metrics (0 to 100), again with `raw_` before its names where there are raw references, and
            `loss`: nats per target token, or per example for classification, without label smoothing.
        predictions: generated texts or predicted labels, in the order of the features; empty if only the
            loss was asked for.
        references: decoded labels (cut as the labels were) or true labels.
        scored: what the metric measured in every example, None if only the loss was asked for.
        seconds: wall-clock time.
    """

    metrics: dict[str, float]
    predictions: list[str] | list[int]
    references: list[str] | list[int]
    scored: Scored | None
    seconds: float


def evaluate(
    model: PreTrainedModel,
    features: Sequence[Feature],
    *,
    task: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    batch_size: int,
    precision: Precision,
    progress: bool,
    loss_only: bool = False,
    processes: Processes = ALONE,
    raw_references: Sequence[str] | None = None,
) -> EvalResult:
    """Score `model` on `features`, at least one of them.

    Draws no random number, so that evaluating more often cannot change a training run. The model is left in
    the mode it came in.

    Args:
        model: any model of the task's kind, on any device.
        features: an encoded split (`Encoded.features`).
        task: the task; its generation settings are used.
        tokenizer: decodes outputs and references.
        batch_size: examples per forward pass.
        precision: arithmetic of the forward pass (`resolve_precision`).
        progress: whether a bar is drawn.
        loss_only: skips generation and metric; enough where the best step is chosen by loss.
        processes: each evaluates its share of the features, and all return the same.
        raw_references: the data set's own target texts, to score generated texts against them as well.
    """
    begin = time.perf_counter()
    run = _evaluate_seq2seq if task.generates else _evaluate_classification
    with _eval_mode(model), torch.inference_mode(), autocast(model.device, precision):
        loss, predictions, references = run(
            model,
            features,
            task,
            tokenizer,
            batch_size=batch_size,
            progress=progress,
            loss_only=loss_only,
            processes=processes,
        )
    measured = None if loss_only else scored(task.scorers(), predictions, references, raw_references)
    return EvalResult(
        metrics={"loss": loss, **(measured.scores() if measured else {})},
        predictions=predictions,
        references=references,
        scored=measured,
        seconds=time.perf_counter() - begin,
    )


def _evaluate_seq2seq(
    model: PreTrainedModel,
    features: Sequence[Feature],
    task: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    *,
    batch_size: int,
    progress: bool,
    loss_only: bool,
    processes: Processes,
) -> tuple[float, list[str], list[str]]:
    outputs: dict[int, str] = {}
    loss_sum, n_tokens = 0.0, 0
    for indices, batch in _batches(model, features, task, tokenizer, batch_size, progress, processes):
        labels_BT = batch.pop("labels")
        logits_BTV = logits_of(model, batch).float()
        loss_sum += F.cross_entropy(
            logits_BTV.flatten(0, 1), labels_BT.flatten(), ignore_index=IGNORED_LABEL, reduction="sum"
        ).item()
        n_tokens += int((labels_BT != IGNORED_LABEL).sum())
        if not loss_only:
            # The output starts as it did in training, with the first token of the decoder's input.
            start = int(batch.pop("decoder_input_ids")[0, 0])
            config = generation_config(model, task=task, tokenizer=tokenizer, start_token_id=start)
            output_BT = cast(Any, model).generate(**batch, generation_config=config)
            outputs.update(zip(indices, _decode(tokenizer, output_BT), strict=True))
    outputs, loss_sum, n_tokens = _together(outputs, loss_sum, n_tokens, processes)
    loss = loss_sum / n_tokens
    if loss_only:
        return loss, [], []
    predictions = [outputs[i] for i in range(len(features))]
    return loss, predictions, _decode(tokenizer, [feature["labels"] for feature in features])


def _evaluate_classification(
    model: PreTrainedModel,
    features: Sequence[Feature],
    task: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    *,
    batch_size: int,
    progress: bool,
    loss_only: bool,
    processes: Processes,
) -> tuple[float, list[int], list[int]]:
    outputs: dict[int, int] = {}
    loss_sum = 0.0
    for indices, batch in _batches(model, features, task, tokenizer, batch_size, progress, processes):
        labels_B = batch.pop("labels")
        logits_BC = logits_of(model, batch).float()
        loss_sum += F.cross_entropy(logits_BC, labels_B, reduction="sum").item()
        outputs.update(zip(indices, logits_BC.argmax(-1).tolist(), strict=True))
    outputs, loss_sum, _ = _together(outputs, loss_sum, 0, processes)
    loss = loss_sum / len(features)
    if loss_only:
        return loss, [], []
    predictions = [outputs[i] for i in range(len(features))]
    return loss, predictions, [int(feature["labels"]) for feature in features]


def _batches(
    model: PreTrainedModel,
    features: Sequence[Feature],
    task: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    batch_size: int,
    progress: bool,
    processes: Processes,
) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
    """Batches of this process on the model's device, with the positions of their features, longest sources first.

    Neighbours in length need little padding, and a batch too large for the memory shows at once.
    """
    collate = collator(task, model=model, tokenizer=tokenizer, pad_to_multiple_of=1)
    order = sorted(range(len(features)), key=lambda i: len(features[i]["input_ids"]), reverse=True)
    order = order[processes.rank :: processes.n]
    for begin in tqdm(range(0, len(order), batch_size), desc="evaluate", leave=False, disable=not progress):
        indices = order[begin : begin + batch_size]
        batch = collate([features[i] for i in indices])
        yield indices, {name: tensor.to(model.device) for name, tensor in batch.items()}


def _together(
    outputs: dict[int, _Output], loss_sum: float, n_tokens: int, processes: Processes
) -> tuple[dict[int, _Output], float, int]:
    """What all processes found: outputs by position, and the sums of their sums."""
    everyone = gather((outputs, loss_sum, n_tokens), processes)
    all_outputs = {i: output for found, _, _ in everyone for i, output in found.items()}
    return all_outputs, sum(loss for _, loss, _ in everyone), sum(n for _, _, n in everyone)


def _decode(tokenizer: PreTrainedTokenizerBase, rows: Any) -> list[str]:
    # Without the clean-up, which moves spaces at punctuation and was written for English.
    return tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The arithmetic of a forward pass."""
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")


@contextmanager
def _eval_mode(model: PreTrainedModel) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
