"""A diverging run is never reported as complete, and keeps its last good state."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from unidelta.records.store import RecordStore

from .conftest import do


@pytest.mark.parametrize("poison", [float("nan"), float("inf")], ids=["nan", "inf"])
def test_a_poisoned_gradient(poison: float, tally, tmp_path: Path, monkeypatch) -> None:
    counted = tally(f"F1 a gradient becomes {poison} at step 6")
    backward, n_calls = torch.Tensor.backward, 0

    def poisoned(loss: torch.Tensor, *args: object, **kwargs: object) -> None:
        nonlocal n_calls
        n_calls += 1
        backward(loss * poison if n_calls == 6 else loss, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "backward", poisoned)
    record = do(tmp_path)
    is_told = record.status == "diverged" and str(record.reason).endswith("at step 6")
    kept = sorted(tmp_path.rglob("step-*/parameters.safetensors"))
    is_finite = all(tensor.isfinite().all() for path in kept for tensor in load_file(path).values())
    is_last = {path.parent.name for path in kept} == {"step-4", "step-5"}
    counted.count(is_told and record.metrics == {} and is_finite and is_last, (record.reason, kept))
    assert [found.status for found in RecordStore(root=tmp_path).read_all().records] == ["diverged"]


def test_an_update_that_is_not_finite(tally, tmp_path: Path, monkeypatch) -> None:
    counted = tally("F1 parameters become nan in the update of step 6")
    update, n_calls = torch.optim.AdamW.step, 0

    def poisoned(optimiser: torch.optim.AdamW, *args: object, **kwargs: object) -> object:
        nonlocal n_calls
        n_calls += 1
        result = update(optimiser, *args, **kwargs)
        if n_calls == 6:
            optimiser.param_groups[0]["params"][0].data.fill_(float("nan"))
        return result

    monkeypatch.setattr(torch.optim.AdamW, "step", poisoned)
    record = do(tmp_path)
    kept = {path.name for path in tmp_path.rglob("step-*")}
    is_told = record.status == "diverged" and str(record.reason).endswith("at step 7")
    counted.count(is_told and kept == {"step-4", "step-5"}, (record.reason, kept))


def test_a_learning_rate_that_is_far_too_high(tally, tmp_path: Path) -> None:
    counted = tally("F1 learning rate 1000")
    typed = ("method=full", "training.learning_rate=1000", "training.schedule=constant", "training.max_grad_norm=1e9")
    record = do(tmp_path, *typed, "training.max_steps=60")
    counted.count(record.status == "diverged" and record.metrics == {}, record.reason)
