"""Everything that changes while a model trains."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from unidelta.training.batches import Batches
from unidelta.training.best import BestStep
from unidelta.training.divergence import DivergenceGuard
from unidelta.training.result import HistoryEntry, TrainResult
from unidelta.training.snapshot import (
    Snapshot,
    optimiser_state,
    read_best,
    read_snapshot,
    restore_generators,
    restore_optimiser,
    restore_parameters,
    tuned,
    write_snapshot,
)


@dataclass(kw_only=True)
class TrainState:
    """Everything that a step changes; a checkpoint holds all of it.

    Args:
        model: the model that is trained; of its parameters, only those that are trained change.
        optimiser: the optimiser of the trained parameters.
        schedule: the schedule of the learning rate.
        scaler: the scaler of fp16 losses.
        best: the best evaluation so far.
        guard: whether the run has diverged.
        step: optimiser steps done.
        is_finished: whether training is over, its last evaluation included.
        evaluation_seconds: time spent on evaluations.
        n_tokens: tokens of sources and targets so far in all processes together, without padding.
    """

    model: nn.Module
    optimiser: Optimizer
    schedule: LRScheduler
    scaler: GradScaler
    best: BestStep
    guard: DivergenceGuard
    step: int = 0
    is_finished: bool = False
    evaluation_seconds: float = 0.0
    n_tokens: int = 0
    _began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Wall-clock time of training and evaluation, including earlier attempts."""
        return time.perf_counter() - self._began

    @property
    def is_healthy(self) -> bool:
        """Whether it is worth saving: nothing diverged, and every trained parameter is finite."""
        return self.guard.reason is None and all(p.isfinite().all() for p in tuned(self.model).values())

    @property
    def on_gpu(self) -> bool:
        """Whether the model is on a GPU."""
        return next(self.model.parameters()).device.type == "cuda"

    def count_tokens(self, n_tokens: int, *, seconds: float) -> dict[str, float]:
        """Add a step's tokens to the total.

        Args:
            n_tokens: of its batches in all processes together, without padding.
            seconds: the time that it took.

        Returns:
            The speed of the step.
        """
        self.n_tokens += n_tokens
        peak = {"peak_memory": torch.cuda.max_memory_allocated()} if self.on_gpu else {}
        return {"step_seconds": seconds, "tokens_per_second": n_tokens / seconds, **peak}

    def result(self, history: Sequence[HistoryEntry], batches: Batches) -> TrainResult:
        """The result of the run so far."""
        training_seconds = self.seconds - self.evaluation_seconds
        return TrainResult(
            status="diverged" if self.guard.reason else "complete",
            reason=self.guard.reason,
            steps=int(history[-1]["step"]) if self.guard.reason else self.step,
            history=tuple(history),
            seconds=self.seconds,
            seconds_per_step=training_seconds / self.step,
            tokens_per_second=self.n_tokens / training_seconds,
            peak_memory=torch.cuda.max_memory_allocated() if self.on_gpu else None,
            best_step=self.best.step,
            best_metrics=self.best.metrics,
            n_overflows=self.guard.n_overflows,
            batches_per_epoch=batches.per_epoch,
            tokens_per_batch=batches.tokens,
        )

    def write(self, folder: Path, generators: list[dict[str, Any]]) -> None:
        """Write all of it into `folder`, with the states of every process's random generators.

        Raises:
            OSError: it cannot be written to the disk.
        """
        snapshot = Snapshot(
            steps=self.step,
            is_finished=self.is_finished,
            seconds=self.seconds,
            evaluation_seconds=self.evaluation_seconds,
            n_tokens=self.n_tokens,
            best_step=self.best.step,
            best_metrics=self.best.metrics,
            guard=self.guard.state(),
            optimiser=optimiser_state(self.optimiser),
            schedule=self.schedule.state_dict(),
            scaler=self.scaler.state_dict(),
            generators=generators,
        )
        parameters, best = tuned(self.model), self.best.parameters
        write_snapshot(folder, snapshot, parameters=parameters, best=best, optimiser=self.optimiser)

    def read(self, folder: Path, *, rank: int) -> None:
        """Load what was written into `folder`, with the random generators of process `rank`.

        Raises:
            ValueError: it was written by a run that trains different parameters.
        """
        snapshot = read_snapshot(folder)
        restore_parameters(folder, self.model)
        restore_optimiser(folder, snapshot, self.optimiser)
        self.schedule.load_state_dict(snapshot.schedule)
        if snapshot.scaler:  # empty if it was written at another precision
            self.scaler.load_state_dict(snapshot.scaler)
        self.best.step, self.best.metrics = snapshot.best_step, snapshot.best_metrics
        self.best.parameters = read_best(folder)
        self.guard.resume(snapshot.guard)
        self.step, self.is_finished = snapshot.steps, snapshot.is_finished
        self.evaluation_seconds, self.n_tokens = snapshot.evaluation_seconds, snapshot.n_tokens
        self._began = time.perf_counter() - snapshot.seconds
        restore_generators(snapshot.generators[rank])
