"""Initialisation of projections: exact bounds, statistics, an explicit generator and never the global one."""

import math

import pytest
import torch

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.init import empty_linear, init_linear, init_projections
from unidelta.deltas.low_rank import LowRank
from unidelta.deltas.prompt import Prompt
from unidelta.deltas.reparam import DirectPrefix, PrefixMLP
from unidelta.design.axes import Init
from unidelta.design.form import FORMS


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pair(init: Init, d_in: int, d_out: int, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    down = torch.nn.Parameter(torch.full((rank, d_in), math.nan))
    up = torch.nn.Parameter(torch.full((d_out, rank), math.nan))
    init_projections(down, up, init, seeded())
    return down.detach(), up.detach()


def is_normal(values: torch.Tensor, std: float) -> bool:
    """Mean and spread within five standard errors, and tails beyond 3.5σ: no uniform has these."""
    n = values.numel()
    centred = values.mean().abs() < 5 * std / math.sqrt(n)
    spread = (values.std() / std - 1).abs() < 5 / math.sqrt(2 * n)
    return bool(centred and spread and values.abs().max() > 3.5 * std)


def is_uniform(values: torch.Tensor, bound: float) -> bool:
    """Within the bound, close to both of its ends, and with the spread bound/√3."""
    n = values.numel()
    inside = values.abs().max() <= bound and values.max() > 0.99 * bound and values.min() < -0.99 * bound
    return bool(inside and (values.std() * math.sqrt(3) / bound - 1).abs() < 5 / math.sqrt(n))


def test_the_statistics_tell_the_distributions_apart():
    normal = 0.02 * torch.randn(20_000, generator=seeded())
    uniform = 0.02 * (2 * torch.rand(20_000, generator=seeded()) - 1)
    assert is_normal(normal, 0.02) and not is_normal(uniform, 0.02) and not is_normal(normal, 0.022)
    assert is_uniform(uniform, 0.02) and not is_uniform(normal, 0.02) and not is_uniform(uniform, 0.021)


def test_bert_starts_both_projections_normal():
    down, up = pair(Init.BERT, 300, 200, 100)
    assert is_normal(down, 0.02)
    assert is_normal(up, 0.02)


def test_lora_starts_down_uniform_by_its_input_width_and_up_at_zero():
    down, up = pair(Init.LORA, 300, 200, 100)
    assert is_uniform(down, 1 / math.sqrt(300))  # not 1/√100, the rank
    assert not up.any()


@pytest.mark.parametrize("has_bias", [True, False])
def test_an_empty_linear_has_a_zero_bias_and_draws_nothing(has_bias):
    before = torch.get_rng_state()
    linear = empty_linear(5, 3, bias=has_bias)
    assert torch.equal(before, torch.get_rng_state())
    assert (linear.weight.shape, linear.weight.requires_grad) == ((3, 5), True)
    assert (linear.bias is not None) == has_bias
    assert not has_bias or not linear.bias.any()


def test_a_default_linear_is_uniform_in_weight_and_bias():
    linear = empty_linear(400, 3000, bias=True)
    init_linear(linear, seeded())
    assert is_uniform(linear.weight.detach(), 1 / 20)
    assert is_uniform(linear.bias.detach(), 1 / 20)


def test_prefix_and_prompt_vectors_start_where_the_authors_start_them():
    direct = DirectPrefix.drawn(100, (200, 200), generator=seeded())
    assert is_normal(direct.key.detach(), 0.02)
    assert is_normal(direct.value.detach(), 0.02)
    assert not direct.key.equal(direct.value)
    assert is_normal(Prompt(100, 200, generator=seeded()).vectors.detach(), 0.02)
    mlp = PrefixMLP(100, 200, 50, {0: (200, 200), 1: (200, 200)}, dropout=0.0, generator=seeded())
    assert is_normal(mlp.embedding.detach(), 1.0)
    assert is_uniform(mlp.hidden.weight.detach(), 1 / math.sqrt(200))
    assert is_uniform(mlp.output.weight.detach(), 1 / math.sqrt(50))
    assert mlp.hidden.bias.abs().max() <= 1 / math.sqrt(200)
    assert mlp.output.bias.abs().max() <= 1 / math.sqrt(50)


@pytest.mark.parametrize(
    "build",
    [
        lambda g: Bottleneck((6, 4, 6), init=Init.BERT, bias=True, dropout=0.1, norm=None, generator=g),
        lambda g: Bottleneck((6, 4, 6), init=Init.LORA, bias=False, dropout=0.1, norm=None, generator=g),
        lambda g: LowRank(6, 5, 3, init=Init.LORA, dropout=0.1, generator=g),
        lambda g: DirectPrefix.drawn(4, (6, 6), generator=g),
        lambda g: PrefixMLP(4, 6, 5, {0: (6, 6), 1: (6, 6)}, dropout=0.1, generator=g),
        lambda g: Prompt(4, 6, generator=g),
    ],
    ids=["bottleneck", "bottleneck-lora", "low-rank", "prefix", "mlp", "prompt"],
)
def test_one_seed_gives_one_start_and_the_global_generator_is_left_alone(build):
    before = torch.get_rng_state()
    first, second, other = (list(build(seeded(seed)).parameters()) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(a.equal(b) for a, b in zip(first, second, strict=True))
    assert not all(a.equal(b) for a, b in zip(first, other, strict=True))
    assert all(p.requires_grad and torch.isfinite(p).all() for p in first)


@pytest.mark.parametrize("init", FORMS["bottleneck"].inits)
def test_biases_and_norms_of_a_bottleneck_start_neutral(init):
    form = Bottleneck((6, 4, 6), init=init, bias=True, dropout=0.0, norm=torch.nn.LayerNorm(6), generator=seeded())
    assert not form.down.bias.any() and not form.up.bias.any()
    assert (form.norm.weight == 1).all() and not form.norm.bias.any()
