"""Compositions: h + s·Δh with a fixed or learned s, and the gate."""

import pytest
import torch
from torch import nn

from unidelta.deltas.compose import Add, Gate, LearnedScale
from unidelta.deltas.delta import Delta

H = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
DELTA = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("scale", [1.0, 4.0, 0.25, -2.0])
def test_composition_adds_the_scaled_change(scale):
    torch.testing.assert_close(Add(scale=scale)(H, DELTA, DELTA), H + scale * DELTA, rtol=0, atol=1e-15)


def test_plain_addition_has_no_parameters_and_leaves_its_inputs_alone():
    compose = Add()
    h, delta = H.clone(), DELTA.clone()
    assert compose(h, delta, delta).equal(H + DELTA)
    assert h.equal(H) and delta.equal(DELTA)
    assert list(compose.parameters()) == []


def test_the_output_norm_follows_the_scale():
    """So that the layer norm undoes the scale, up to its ε."""
    norm = nn.LayerNorm(4).double()
    norm.weight.data, norm.bias.data = DELTA[0, 0], DELTA[1, 1]
    expected = H + norm(4 * DELTA)
    torch.testing.assert_close(Add(scale=4.0, norm=norm)(H, DELTA, DELTA), expected, rtol=0, atol=1e-15)
    assert (Add(scale=4.0, norm=norm)(H, DELTA, DELTA) - Add(norm=norm)(H, DELTA, DELTA)).abs().max() < 1e-3


def test_a_learned_scale_starts_at_one_and_learns():
    compose = LearnedScale().double()
    assert [(name, p.shape) for name, p in compose.named_parameters()] == [("learned_scale", (1,))]
    assert compose(H, DELTA, DELTA).equal(H + DELTA)
    compose(H, DELTA, DELTA).sum().backward()
    torch.testing.assert_close(compose.learned_scale.grad, DELTA.sum()[None])
    compose.learned_scale.data.fill_(3.0)
    torch.testing.assert_close(compose(H, DELTA, DELTA), H + 3 * DELTA, rtol=0, atol=1e-15)


def test_a_learned_scale_stays_before_its_output_norm():
    norm = nn.LayerNorm(4).double()
    compose = LearnedScale(norm=norm).double()
    compose.learned_scale.data.fill_(5.0)
    torch.testing.assert_close(compose(H, DELTA, DELTA), H + norm(5 * DELTA), rtol=0, atol=1e-15)


def test_a_gate_interpolates():
    gate = torch.rand(2, 3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(Gate()(H, DELTA, DELTA, gate), (1 - gate) * H + gate * DELTA, rtol=0, atol=1e-15)
    assert Gate()(H, DELTA, DELTA, torch.zeros_like(gate)).equal(H)
    assert Gate()(H, DELTA, DELTA, torch.ones_like(gate)).equal(DELTA)


def test_a_gate_without_its_lambda_is_refused():
    with pytest.raises(ValueError, match=r"A gated composition needs its gate λ; attention computes it"):
        Gate()(H, DELTA, DELTA)


def test_a_parallel_delta_reads_x_and_a_sequential_one_reads_h():
    form = nn.Linear(4, 4).double()
    parallel, sequential = (Delta(form, Add(scale=2.0), is_parallel=flag) for flag in (True, False))
    x = DELTA
    torch.testing.assert_close(parallel(x, H), H + 2 * form(x), rtol=0, atol=1e-15)
    torch.testing.assert_close(sequential(x, H), H + 2 * form(H), rtol=0, atol=1e-15)
    assert sequential(x, H).equal(sequential(x + 1, H))
    assert not parallel(x, H).equal(parallel(x + 1, H))
