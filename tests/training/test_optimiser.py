"""PyTorch's AdamW compared with that of transformers in 2021, which the paper used (docs/fidelity.md)."""

import math

import pytest
import torch

LR, BETA1, BETA2, DECAY = 5e-5, 0.9, 0.98, 0.01


def adamw_2021(start: torch.Tensor, gradients: list[torch.Tensor], *, epsilon: float) -> torch.Tensor:
    """transformers 4.9, `AdamW.step` with `correct_bias`: ε beside √v before its correction, decay after the update."""
    p, m, v = start.clone(), torch.zeros_like(start), torch.zeros_like(start)
    for t, gradient in enumerate(gradients, 1):
        m = BETA1 * m + (1 - BETA1) * gradient
        v = BETA2 * v + (1 - BETA2) * gradient**2
        p = p - LR * math.sqrt(1 - BETA2**t) / (1 - BETA1**t) * m / (v.sqrt() + epsilon)
        p = p - LR * DECAY * p
    return p


def adamw_now(start: torch.Tensor, gradients: list[torch.Tensor], *, epsilon: float) -> torch.Tensor:
    p = torch.nn.Parameter(start.clone())
    optimiser = torch.optim.AdamW([p], lr=LR, betas=(BETA1, BETA2), eps=epsilon, weight_decay=DECAY)
    for gradient in gradients:
        p.grad = gradient.clone()
        optimiser.step()
    return p.detach()


def difference(size: float, n_steps: int, *, epsilon: float) -> float:
    """How far the two are apart after some steps, relative to the way they have come."""
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(200, generator=generator, dtype=torch.float64)
    gradients = [size * torch.randn(200, generator=generator, dtype=torch.float64) for _ in range(n_steps)]
    old, new = (step(start, gradients, epsilon=epsilon) for step in (adamw_2021, adamw_now))
    return ((old - new).norm() / (new - start).norm()).item()


def test_the_order_of_decay_and_update_does_not_matter() -> None:
    # Decay of the updated parameter instead of the old one: lr · decay of an update, 5e-7.
    assert difference(1.0, 1, epsilon=1e-12) == pytest.approx(LR * DECAY, rel=1e-3)
    assert difference(1.0, 200, epsilon=1e-12) < 1e-5


def test_epsilon_is_larger_in_the_first_steps_of_2021() -> None:
    """Their ε is ε / √(1 − β₂ᵗ) of ours: 7 times at the first step, 1.07 times at the hundredth."""
    # en-ro and GLUE have ε = 1e-6; gradients of 1e-3, then 1e-5 a parameter, after 1, 200 and 2000 steps.
    assert difference(1e-3, 1, epsilon=1e-6) == pytest.approx(0.026, abs=0.001)
    found = [difference(1e-5, n_steps, epsilon=1e-6) for n_steps in (1, 200, 2000)]
    assert found == pytest.approx([0.43, 0.065, 0.020], rel=0.02)


def test_the_same_epsilon_gives_the_same_update() -> None:
    start, gradient = torch.zeros(5, dtype=torch.float64), torch.linspace(-1e-5, 2e-5, 5, dtype=torch.float64)
    old = adamw_2021(start, [gradient], epsilon=1e-6)
    new = adamw_now(start, [gradient], epsilon=1e-6 / math.sqrt(1 - BETA2))
    assert torch.allclose(old, new, rtol=1e-6, atol=0)
