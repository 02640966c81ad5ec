"""The rules by which a run counts as diverged."""

import math
import random

import pytest

from unidelta.training.divergence import DivergenceGuard


def feed(losses: list[float], norms: list[float] | None = None, *, fp16: bool = False) -> DivergenceGuard:
    guard = DivergenceGuard(tolerates_overflow=fp16)
    for step, loss in enumerate(losses, 1):
        guard.look({"step": step, "loss": loss, "grad_norm": norms[step - 1] if norms else 1.0})
    return guard


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_or_norm_that_is_not_finite_stops_at_once(value: float) -> None:
    assert feed([2.0, value, 2.0]).reason == f"loss {value} at step 2"
    assert feed([2.0] * 3, [1.0, value, 1.0]).reason == f"gradient norm {value} at step 2"
    assert feed([value], fp16=True).reason == f"loss {value} at step 1"


def test_single_overflows_are_part_of_fp16() -> None:
    norms = [math.inf] * 16 + [1.0] + [math.inf] * 2 + [1.0] * 5
    guard = feed([2.0] * len(norms), norms, fp16=True)
    assert (guard.reason, guard.n_overflows) == (None, 18)


def test_overflows_without_end_are_not() -> None:
    guard = feed([2.0] * 30, [math.inf] * 30, fp16=True)
    assert guard.reason == "gradient norm inf at step 17"


def test_a_loss_that_stays_exploded_stops_the_run() -> None:
    assert feed([2.0] * 5 + [20.1] * 30).reason == ("loss 20.1, 10 steps above 10 times the first, at step 15")


def test_a_short_spike_does_not() -> None:
    assert feed([2.0] * 5 + ([900.0] * 9 + [2.0]) * 5).reason is None


def test_a_model_that_starts_near_zero_may_rise_to_ten_nats() -> None:
    assert feed([0.01] + [9.9] * 50).reason is None


def test_a_hundred_healthy_runs_raise_no_alarm() -> None:
    rng = random.Random(0)
    for _ in range(100):
        start = rng.uniform(0.3, 11)
        losses = [start * math.exp(-step / 50) * rng.lognormvariate(0, 0.5) for step in range(200)]
        assert feed(losses, [rng.lognormvariate(0, 2) for _ in losses]).reason is None


def test_the_first_reason_stays() -> None:
    assert feed([math.nan, math.inf]).reason == "loss nan at step 1"
