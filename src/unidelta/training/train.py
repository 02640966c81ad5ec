"""Training of one model on one task, from encoded splits to the best step's parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from unidelta.tasks import TaskSpec
from unidelta.tasks.collate import collator
from unidelta.tasks.encode import Encoded
from unidelta.training.best import BestStep
from unidelta.training.check import check_training
from unidelta.training.divergence import DivergenceGuard
from unidelta.training.evaluate import EvalResult, evaluate
from unidelta.training.precision import resolve_device, resolve_precision
from unidelta.training.processes import ALONE, Processes
from unidelta.training.random_batches import RandomBatches
from unidelta.training.saving import Continuation
from unidelta.training.share import SharedBatches, WithFiller, blanking, share
from unidelta.training.spec import TrainingSpec
from unidelta.training.token_batches import TokenBatches
from unidelta.training.trainer import DeltaTrainer, OnLog, training_arguments

HistoryEntry = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training run did.

    Args:
        status: `diverged` if it was stopped because of its losses or gradients.
        reason: what happened and when; None if complete.
        steps: optimiser steps done.
        history: one entry per step (step, loss, learning_rate, grad_norm, epoch) and per evaluation (step,
            eval_loss, eval_<metric>…, eval_seconds, epoch), in order.
        seconds: wall-clock time of everything, that of earlier attempts up to their last checkpoint included.
        seconds_per_step: mean time of a step, evaluations left out.
        best_step: step whose parameters the model has now; None if the run diverged before an evaluation,
            in which case the parameters are those of the last step.
        best_metrics: dev metrics at that step.
        n_overflows: steps skipped by the fp16 loss scaler; 0 in other arithmetic.
        batches_per_epoch: forward passes of all processes together.
        tokens_per_batch: min, mean and max of longest example × number of examples; None where examples are counted.
    """

    status: Literal["complete", "diverged"]
    reason: str | None
    steps: int
    history: tuple[HistoryEntry, ...]
    seconds: float
    seconds_per_step: float
    best_step: int | None
    best_metrics: dict[str, float]
    n_overflows: int
    batches_per_epoch: int
    tokens_per_batch: dict[str, float] | None


UNTRAINED = TrainResult(
    status="complete",
    reason=None,
    steps=0,
    history=(),
    seconds=0.0,
    seconds_per_step=0.0,
    best_step=0,
    best_metrics={},
    n_overflows=0,
    batches_per_epoch=0,
    tokens_per_batch=None,
)
"""What comes of a model in which nothing is tuned."""


def train(
    model: PreTrainedModel,
    encoded_train: Encoded,
    encoded_eval: Encoded,
    *,
    task: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    spec: TrainingSpec,
    seed: int,
    output_dir: Path,
    on_log: OnLog,
    processes: Processes = ALONE,
    continuation: Continuation | None = None,
) -> TrainResult:
    """Train the parameters of `model` that require gradients; the model ends with those of its best step.

    The dev split is evaluated as `spec` says and once more at the end. Where the best step is chosen by
    loss, nothing is generated during training. The seed decides data order and dropout, through the global
    generators of Python, NumPy and PyTorch; equal arguments give equal losses, bit for bit on a CPU with
    the same number of threads. Several processes (already connected) do the same steps, each its share of them, and
    return the same; without dropout their losses are those of one process, up to rounding. A run that goes on from a
    checkpoint has the losses and gradient norms it would have had without the break, bit for bit.

    Args:
        model: a model of the task's kind, moved to the run's device and changed in place.
        encoded_train: the training split.
        encoded_eval: the dev split.
        task: the task.
        tokenizer: of the model.
        spec: the settings.
        seed: of data order and dropout.
        output_dir: folder for what the trainer writes.
        on_log: told every entry of the history as it is made.
        processes: this process, and of how many.
        continuation: how the run is saved and where it goes on; None for no checkpoints.

    Raises:
        Interrupted: the run was asked to stop, and a checkpoint was kept.
        Problems: settings that do not make sense here (`check_training`).
        ConfigError: an example has more tokens than a batch may have, or the processes cannot share a step.
        ValueError: no parameter requires gradients.
    """
    check_training(spec)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("No parameter requires gradients: there is nothing to train.")
    precision = resolve_precision(spec)
    has_own_forward = "forward" in vars(model)
    best = BestStep(task.selection)
    part = share(spec, processes)
    batches = _batches(encoded_train, spec, seed=seed)
    shows_progress = spec.progress and processes.is_first
    guard = DivergenceGuard(tolerates_overflow=precision == "fp16")
    history: list[HistoryEntry] = list(continuation.before) if continuation is not None else []

    def score() -> EvalResult:
        return evaluate(
            model,
            encoded_eval.features,
            task=task,
            tokenizer=tokenizer,
            batch_size=spec.eval_batch_size,
            precision=precision,
            progress=shows_progress,
            processes=processes,
            loss_only=task.select_by == "loss",
        )

    def note(entry: dict[str, float]) -> None:
        history.append(entry)
        on_log(entry)

    arguments = training_arguments(
        spec, share=part, precision=precision, device=resolve_device(spec), seed=seed, output_dir=str(output_dir)
    )
    trainer = DeltaTrainer(
        model=model,
        args=arguments,
        train_dataset=WithFiller(encoded_train.features),
        eval_dataset=encoded_eval.features,
        data_collator=blanking(
            collator(task, model=model, tokenizer=tokenizer, pad_to_multiple_of=1 if precision == "fp32" else 8)
        ),
        settings=spec,
        share=part,
        batches=SharedBatches(batches, share=part, filler=len(encoded_train)),
        score=score,
        best=best,
        guard=guard,
        on_log=note,
        continuation=continuation,
        shows_progress=shows_progress,
    )
    if not processes.is_first:
        torch.manual_seed(seed + processes.rank)  # passes of one step should not drop the same activations
    start = continuation.start if continuation is not None else None
    past = trainer.resume(start) if start is not None else None
    if past is not None and past.is_finished:
        steps, training_seconds = past.steps, past.seconds - past.evaluation_seconds
    else:
        trainer.train(str(start) if start is not None else None)
        steps = trainer.state.global_step
        training_seconds = trainer.seconds - trainer.evaluation_seconds
        is_evaluated = any(entry["step"] == steps and "eval_loss" in entry for entry in history)
        if guard.reason is None and not is_evaluated:
            trainer.evaluate()
        trainer.save(is_finished=True)
    best.restore(model)
    if not has_own_forward:
        # In half precision the trainer wraps `forward`, and the wrapper would stay on the model for good.
        vars(model).pop("forward", None)
        vars(model).pop("_original_forward", None)
    return TrainResult(
        status="diverged" if guard.reason else "complete",
        reason=guard.reason,
        steps=steps,
        history=tuple(history),
        seconds=trainer.seconds,
        seconds_per_step=training_seconds / steps,
        best_step=best.step,
        best_metrics=best.metrics,
        n_overflows=guard.n_overflows,
        batches_per_epoch=len(batches),
        tokens_per_batch=_spread(batches.n_tokens) if isinstance(batches, TokenBatches) else None,
    )


def _batches(encoded: Encoded, spec: TrainingSpec, *, seed: int) -> RandomBatches | TokenBatches:
    if spec.max_tokens is None:
        return RandomBatches(len(encoded), batch_size=spec.batch_size, seed=seed)
    return TokenBatches(encoded.features, max_tokens=spec.max_tokens, is_static=spec.static_batches, seed=seed)


def _spread(values: Sequence[int]) -> dict[str, float]:
    return {"min": min(values), "mean": sum(values) / len(values), "max": max(values)}
