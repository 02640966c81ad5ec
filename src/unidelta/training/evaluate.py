"""Scores of a model on one split: generation of texts, argmax for classification.

B batch, S source length, T target length, V vocabulary, C classes.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.tasks import TaskSpec
from unidelta.tasks.collate import IGNORED_LABEL, Collator, collator
from unidelta.tasks.features import Feature
from unidelta.tasks.metrics.scored import Scored, scored
from unidelta.training.generation import generate
from unidelta.training.loss import logits_of
from unidelta.training.precision import resolve_precision
from unidelta.training.processes import ALONE, Processes, gather
from unidelta.training.spec import TrainingSpec
from unidelta.training.written_labels import WrittenLabels

_Output = TypeVar("_Output", str, int)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResult:
    """What an evaluation found.

    Args:
        metrics: the task's metrics (0 to 100), again with `raw_` before its names where there are raw references, and
            `loss` without label smoothing: nats per target token, or per example for classification, where it is that
            of choosing among the labels.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """A model with the task it does, and how it is scored.

    Args:
        model: any model of the task's kind, on any device.
        tokenizer: decodes outputs and references.
        task: the task; its generation settings are used.
        spec: batch size, precision and progress bars.
        processes: each evaluates its share of the features, and all return the same.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    task: TaskSpec
    spec: TrainingSpec
    processes: Processes = ALONE

    def evaluate(
        self, features: Sequence[Feature], *, loss_only: bool = False, raw_references: Sequence[str] | None = None
    ) -> EvalResult:
        """Score the model on `features`, at least one of them.

        Draws no random number, so that evaluating more often cannot change a training run. The model is left in
        the mode it came in.

        Args:
            features: an encoded split (`Encoded.features`).
            loss_only: skip generation and metrics; enough where the best step is chosen by loss.
            raw_references: the data set's own target texts, to score generated texts against them as well.
        """
        begin = time.perf_counter()
        run = self._texts if self.task.generates else self._labels
        with _eval_mode(self.model), torch.inference_mode(), self.autocast():
            loss, predictions, references = run(features, loss_only=loss_only)
        measured = None if loss_only else scored(self.task.scorers(), predictions, references, raw_references)
        return EvalResult(
            metrics={"loss": loss, **(measured.scores() if measured else {})},
            predictions=predictions,
            references=references,
            scored=measured,
            seconds=time.perf_counter() - begin,
        )

    def autocast(self) -> torch.autocast:
        """The arithmetic of a forward pass."""
        precision = resolve_precision(self.spec)
        dtype = torch.float16 if precision == "fp16" else torch.bfloat16
        return torch.autocast(self.model.device.type, dtype=dtype, enabled=precision != "fp32")

    def collator(self, *, pad_to_multiple_of: int = 1) -> Collator:
        """What makes batches for the model."""
        return collator(self.task, model=self.model, tokenizer=self.tokenizer, pad_to_multiple_of=pad_to_multiple_of)

    def _texts(self, features: Sequence[Feature], *, loss_only: bool) -> tuple[float, list[str], list[str]]:
        outputs: dict[int, str] = {}
        loss_sum, n_tokens = 0.0, 0
        for indices, batch in self._batches(features):
            labels_BT = batch.pop("labels")
            logits_BTV = logits_of(self.model, batch).float()
            loss_sum += F.cross_entropy(
                logits_BTV.flatten(0, 1), labels_BT.flatten(), ignore_index=IGNORED_LABEL, reduction="sum"
            ).item()
            n_tokens += int((labels_BT != IGNORED_LABEL).sum())
            if not loss_only:
                output_BT = generate(self.model, batch, task=self.task, tokenizer=self.tokenizer)
                outputs.update(zip(indices, self._decode(output_BT), strict=True))
        loss, predictions = _together(outputs, loss_sum, n_tokens, self.processes)
        return loss, predictions, [] if loss_only else self._decode([feature["labels"] for feature in features])

    def _labels(self, features: Sequence[Feature], *, loss_only: bool) -> tuple[float, list[int], list[int]]:
        outputs: dict[int, int] = {}
        loss_sum = 0.0
        words = WrittenLabels(self.task, self.tokenizer) if self.task.writes else None
        references = [int(f["labels"]) if words is None else words.class_of(f["labels"]) for f in features]
        for indices, batch in self._batches(features):
            labels_B = batch.pop("labels")
            if words is None:
                logits_BC = logits_of(self.model, batch).float()
            else:
                labels_B = torch.tensor([references[i] for i in indices], device=labels_B.device)
                logits_BC = words.scores(self.model, [features[i] for i in indices], self.collator())
            loss_sum += F.cross_entropy(logits_BC, labels_B, reduction="sum").item()
            outputs.update(zip(indices, logits_BC.argmax(-1).tolist(), strict=True))
        loss, predictions = _together(outputs, loss_sum, len(outputs), self.processes)
        return (loss, [], []) if loss_only else (loss, predictions, references)

    def _batches(self, features: Sequence[Feature]) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
        """Batches of this process on the model's device, with the positions of their features, longest sources first.

        Neighbours in length need little padding, and a batch too large for the memory shows at once.
        """
        collate, size = self.collator(), self.spec.eval_batch_size
        order = sorted(range(len(features)), key=lambda i: len(features[i]["input_ids"]), reverse=True)
        order = order[self.processes.rank :: self.processes.n]
        is_shown = self.spec.progress and self.processes.is_first
        for begin in tqdm(range(0, len(order), size), desc="evaluate", leave=False, disable=not is_shown):
            indices = order[begin : begin + size]
            batch = collate([features[i] for i in indices])
            yield indices, {name: tensor.to(self.model.device) for name, tensor in batch.items()}

    def _decode(self, rows: Any) -> list[str]:
        # Without the clean-up, which moves spaces at punctuation and was written for English.
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return texts if self.task.prompt is None else [text.strip() for text in texts]  # of the space after a prompt


def _together(
    outputs: dict[int, _Output], loss_sum: float, n: int, processes: Processes
) -> tuple[float, list[_Output]]:
    """What all processes found: the mean loss, from their sums over `n` each, and the outputs by position, in order."""
    everyone = gather((outputs, loss_sum, n), processes)
    all_outputs = {i: output for found, _, _ in everyone for i, output in found.items()}
    loss = sum(loss for _, loss, _ in everyone) / sum(n for _, _, n in everyone)
    return loss, [all_outputs[i] for i in sorted(all_outputs)]


@contextmanager
def _eval_mode(model: PreTrainedModel) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
