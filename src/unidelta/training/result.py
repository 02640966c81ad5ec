"""The result of training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

HistoryEntry = Mapping[str, float]

OnLog = Callable[[dict[str, float], dict[str, float]], None]
"""Called with a history entry, which is the same whenever the run is repeated, and with the speed of the step.

The entry of a step has `loss`, `grad_norm` (before clipping) and `learning_rate`; its speed is `step_seconds`,
`tokens_per_second` (without padding) and on a GPU `peak_memory` in bytes. The entry of an evaluation has `eval_loss`,
`eval_<metric>` and `eval_seconds`, and no speed. All have `step` and `epoch`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """The result of training.

    Args:
        status: `diverged` if it was stopped because of its losses or gradients.
        reason: what happened and when; None if complete.
        steps: optimiser steps done.
        history: what `train` logged, in order.
        seconds: total wall-clock time, including earlier attempts up to their last checkpoint.
        seconds_per_step: mean time of a step, without evaluations.
        tokens_per_second: of training alone; sources and targets, without padding.
        peak_memory: most bytes allocated on this process's GPU in training and its evaluations; None on the CPU.
        best_step: step whose parameters the model now has; None if the run diverged before an evaluation,
            in which case it has the parameters of the last step.
        best_metrics: dev metrics at that step.
        n_overflows: steps skipped by the fp16 loss scaler; 0 at other precisions.
        batches_per_epoch: forward passes of all processes together.
        tokens_per_batch: min, mean and max of longest example × number of examples; None where examples are counted.
    """

    status: Literal["complete", "diverged"]
    reason: str | None
    steps: int
    history: tuple[HistoryEntry, ...]
    seconds: float
    seconds_per_step: float
    tokens_per_second: float
    peak_memory: int | None
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
    tokens_per_second=0.0,
    peak_memory=None,
    best_step=0,
    best_metrics={},
    n_overflows=0,
    batches_per_epoch=0,
    tokens_per_batch=None,
)
"""The result for a model in which nothing is trained."""
