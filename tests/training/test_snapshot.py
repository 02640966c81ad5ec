"""Saved training state is restored exactly: optimiser, generators, and the position in the data."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unidelta.errors import Interrupted
from unidelta.training.loop import train
from unidelta.training.saving import Continuation
from unidelta.training.snapshot import generators, restore_generators
from unidelta.training.stopping import Stop


def draw() -> tuple[Any, ...]:
    return random.gauss(0, 1), np.random.normal(), torch.rand(3).tolist(), random.random(), np.random.random()


def test_the_generators_go_on_where_they_were() -> None:
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    draw()  # a normal number leaves a second one behind
    state = generators(on_gpu=False)
    drawn = draw()
    draw()
    restore_generators(state)
    assert draw() == drawn


def run(setting, spec, folder: Path, *, stop_at: int | None, start: Path | None = None, before=()):
    """A run that keeps its checkpoint in `folder` and is stopped after a step."""
    stop, told = Stop(), list(before)

    def note(entry: dict[str, float], _speed: dict[str, float]) -> None:
        told.append({key: value for key, value in entry.items() if key != "eval_seconds"})
        if entry["step"] == stop_at:
            stop.signal = "SIGTERM"

    def keep(step: int, write) -> None:
        (folder / f"{step}").mkdir()
        write(folder / f"{step}")

    result = None
    model = setting.make_model()
    try:
        result = train(
            setting.evaluator(model, spec),
            setting.train_split,
            setting.eval_split,
            seed=3,
            on_log=note,
            continuation=Continuation(save=keep, start=start, before=tuple(before), stop=stop),
        )
    except Interrupted:
        assert stop_at is not None
    return result, told, model


# 32 rows: 8 batches of 4 an epoch, 3 steps of 3, 3 and 2 passes; or batches of tokens
CHANGES = {
    "batches": {"max_steps": 20, "eval_every": 3},
    "accumulated, epochs evaluated": {"max_steps": None, "epochs": 5.0, "accumulation": 3, "evaluate_each_epoch": True},
    "tokens": {"max_steps": 12, "max_tokens": 24, "eval_every": 4},
    "static tokens": {"max_steps": 12, "max_tokens": 24, "static_batches": True},
    "constant, weight decay": {"max_steps": 12, "schedule": "constant", "warmup_steps": 5, "weight_decay": 0.3},
}


@pytest.mark.parametrize("name", CHANGES)
def test_stopped_after_any_step_it_goes_on_to_the_same_bits(name: str, spec, sentences, tmp_path: Path) -> None:
    changed = replace(spec, **CHANGES[name])
    (tmp_path / "whole").mkdir()
    whole, told, model = run(sentences, changed, tmp_path / "whole", stop_at=None)
    assert whole is not None
    for step in (1, 3, 8, 9, whole.steps - 1, whole.steps):
        folder = tmp_path / str(step)
        folder.mkdir()
        first, before, _ = run(sentences, changed, folder, stop_at=step)
        assert (first is None) == (step + 1 < whole.steps)  # asked for in a log entry, done after the next step
        (start,) = folder.iterdir()
        torch.manual_seed(step)
        elsewhere = tmp_path / f"again-{step}"
        elsewhere.mkdir()
        result, now, again = run(sentences, changed, elsewhere, stop_at=None, start=start, before=before)
        assert result is not None
        assert now == told, step
        assert (result.best_step, result.best_metrics, result.steps) == (
            whole.best_step,
            whole.best_metrics,
            whole.steps,
        )
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)), step
