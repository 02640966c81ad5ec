"""Training settings that are refused, with their messages."""

import math
from dataclasses import fields, replace

import pytest
import torch

from unidelta.errors import Problems
from unidelta.training import TrainingSpec
from unidelta.training.check import check_training, wrong_settings
from unidelta.training.precision import resolve_device, resolve_precision


def refused(spec: TrainingSpec) -> list[tuple[str, str, str]]:
    with pytest.raises(Problems) as caught:
        check_training(spec)
    return [(error.asked, error.why, error.instead) for error in caught.value.errors]


def test_the_settings_of_the_tests_are_fine(spec) -> None:
    check_training(spec)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_steps", 0, "1 or more"),
        ("learning_rate", 0.0, "above 0"),
        ("warmup_steps", -1, "0 or more"),
        ("warmup_ratio", 1.0, "from 0 to below 1"),
        ("batch_size", 0, "1 or more"),
        ("accumulation", 0, "1 or more"),
        ("eval_batch_size", 0, "1 or more"),
        ("weight_decay", -0.1, "0 or more"),
        ("adam_beta1", 1.0, "from 0 to below 1"),
        ("adam_beta2", -0.1, "from 0 to below 1"),
        ("adam_epsilon", 0.0, "above 0"),
        ("max_grad_norm", 0.0, "above 0"),
        ("label_smoothing", 1.0, "from 0 to below 1"),
        ("eval_every", 0, "1 or more"),
        ("max_tokens", 0, "1 or more"),
    ],
)
def test_a_value_out_of_range_is_refused(spec, name: str, value: float, allowed: str) -> None:
    asked, why, instead = refused(replace(spec, **{name: value}))[0]
    assert (asked, why) == (f"training.{name}={value}", f"it must be a finite number, {allowed}")
    key, _, advised = instead.partition(",")[0].partition("=")
    fixed = replace(spec, **{name: None if advised == "null" else float(advised)})
    assert key == f"training.{name}" and not any(f"{key}=" in problem.asked for problem in wrong_settings(fixed))


def test_numbers_that_are_not_finite_are_refused_everywhere(spec) -> None:
    numeric = [item.name for item in fields(spec) if type(getattr(spec, item.name)) in (int, float)]
    assert len(numeric) == 13
    for name in numeric:
        for value in (math.nan, math.inf, -math.inf):
            assert f"training.{name}={value}" in [asked for asked, _, _ in refused(replace(spec, **{name: value}))]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"epochs": 2.0}, "the length of a run is stated once"),
        ({"max_steps": None}, "a run has a length, in steps or in epochs"),
        ({"warmup_steps": 6}, "the run would end before its warm-up"),
        ({"warmup_steps": 1, "warmup_ratio": 0.1}, "the warm-up is stated once"),
        ({"learning_rate": 1e-7}, "the polynomial schedule falls to 1e-07, which is not below it"),
        ({"eval_every": 2, "evaluate_each_epoch": True}, "evaluations are counted in steps or in epochs"),
        ({"static_batches": True}, "only batches of a number of tokens can be static"),
        ({"precision": "fp16"}, "half precision needs a GPU"),
        ({"precision": "bf16"}, "half precision needs a GPU"),
    ],
)
def test_contradictions_are_refused(spec, changes: dict, why: str) -> None:
    assert [told for _, told, _ in refused(replace(spec, **changes))] == [why]


def test_everything_wrong_is_told_at_once(spec) -> None:
    wrong = replace(spec, batch_size=0, weight_decay=-1.0, epochs=1.0, precision="fp16")
    assert [asked for asked, _, _ in refused(wrong)] == [
        "training.batch_size=0",
        "training.weight_decay=-1.0",
        "training.max_steps=6 and training.epochs=1",
        "training.precision=fp16 on cpu",
    ]


def test_a_gpu_that_is_not_there_is_refused(spec, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert refused(replace(spec, device="cuda")) == [
        ("training.device=cuda", "PyTorch sees no GPU", "training.device=auto or training.device=cpu")
    ]


NATIVE = {"including_emulation": False}  # unless it is asked so, PyTorch says that Turing supports bf16


@pytest.mark.parametrize(
    ("has_gpu", "has_bf16", "device", "precision"),
    [(False, False, "cpu", "fp32"), (True, True, "cuda", "bf16"), (True, False, "cuda", "fp16")],
)
def test_auto_takes_the_best_there_is(
    spec, monkeypatch, has_gpu: bool, has_bf16: bool, device: str, precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **how: has_bf16 if how == NATIVE else True)
    auto = replace(spec, device="auto")
    assert (resolve_device(auto), resolve_precision(auto)) == (device, precision)
    assert resolve_precision(replace(auto, device="cpu")) == "fp32"


def test_bf16_that_is_emulated_is_refused(spec, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **how: how != NATIVE)
    ((asked, _, instead),) = refused(replace(spec, device="cuda", precision="bf16"))
    assert (asked, instead) == ("training.precision=bf16 on cuda", "training.precision=fp16 or training.precision=auto")
