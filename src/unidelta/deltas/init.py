"""Initialisation of projections: the two kinds in the authors' code, with an explicit generator."""

import math

import torch
from torch import Generator, Tensor, nn

from unidelta.design.axes import Init


def init_projections(down: Tensor, up: Tensor, init: Init, generator: Generator) -> None:
    """Initialise a down and an up projection in place.

    `bert`: both N(0, 0.02²). `lora`: down Kaiming-uniform with a = √5, that is U(−1/√fan_in, 1/√fan_in); up
    zero, so that Δh = 0 at the start.

    Args:
        down: `(R, d_in)`.
        up: `(d_out, R)`.
        init: which initialisation.
        generator: the source of randomness.
    """
    if init is Init.BERT:
        nn.init.normal_(down, std=0.02, generator=generator)
        nn.init.normal_(up, std=0.02, generator=generator)
    else:
        nn.init.kaiming_uniform_(down, a=math.sqrt(5), generator=generator)
        nn.init.zeros_(up)


def init_linear(linear: nn.Linear, generator: Generator) -> None:
    """Initialise a linear map like PyTorch's default, U(±1/√fan_in), but from a given generator.

    Args:
        linear: weight `(out, in)` and bias `(out,)`.
        generator: the source of randomness.
    """
    bound = 1 / math.sqrt(linear.in_features)
    nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
    nn.init.uniform_(linear.bias, -bound, bound, generator=generator)


def empty_linear(in_features: int, out_features: int, *, bias: bool) -> nn.Linear:
    """An uninitialised linear map with bias 0; draws nothing from the global generator.

    Args:
        in_features: width of the input.
        out_features: width of the output.
        bias: whether there is one.
    """
    linear = nn.Linear(in_features, out_features, bias=bias, device="meta").to_empty(device=torch.get_default_device())
    if bias:
        nn.init.zeros_(linear.bias)
    return linear
