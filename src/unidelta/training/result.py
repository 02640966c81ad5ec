"""What a training run did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

HistoryEntry = Mapping[str, float]

OnLog = Callable[[dict[str, float], dict[str, float]], None]
"""Given an entry of the history, which is the same whenever the run is done again, and how fast it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training run did.

    Args:
        status: `diverged` if it was stopped because of its losses or gradients.
        reason: what happened and when; None if complete.
        steps: optimiser steps done.
        history: what `train` logged, in order.
        seconds: wall-clock time of everything, that of earlier attempts up to their last checkpoint included.
        seconds_per_step: mean time of a step, evaluations left out.
        tokens_per_second: of training alone, sources and targets, padding left out.
        peak_memory: bytes allocated on this process's GPU; None on the CPU.
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
"""What comes of a model in which nothing is tuned."""
