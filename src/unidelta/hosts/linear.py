"""A linear map as a host: of LoRA on its output, of IA³ on its input, of DoRA on its weight."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from unidelta.deltas.delta import WeightDelta
from unidelta.design.axes import Representation
from unidelta.design.site import INNER
from unidelta.hosts.site import Host


class LinearHost(Host):
    """`h = W x + b`, changed by a delta of h (Eq. 6) or of W; x may first be changed by its own delta."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out)`."""
        if INNER in self.deltas:
            input = self.deltas[INNER](input, input)
        if Representation.LINEAR not in self.deltas:
            return super().forward(input)
        delta = self.deltas[Representation.LINEAR]
        if isinstance(delta, WeightDelta):
            return with_weight(self, input, delta(weight_of(self)))
        return delta(input, super().forward(input))


class FusedHost(Host):
    """Several maps of one input in one module, such as query, key and value: each with a delta of its own.

    `settings["columns"]` has the features `[begin, end)` of the output by role, in their order and without gaps.
    """

    def forward(self, input: Tensor) -> Tensor:
        """`(..., d_in)` to `(..., d_out of all)`."""
        columns = {role: slice(*own) for role, own in self.settings["columns"].items()}
        of_weights = {role: delta for role, delta in self.deltas.items() if isinstance(delta, WeightDelta)}
        if of_weights:
            weight = weight_of(self).clone()
            for role, delta in of_weights.items():
                weight[columns[role]] = delta(weight_of(self)[columns[role]])
            h = with_weight(self, input, weight)
        else:
            h = super().forward(input)
        changed = {role: delta for role, delta in self.deltas.items() if role not in of_weights}
        parts = [changed[role](input, h[..., own]) if role in changed else h[..., own] for role, own in columns.items()]
        return torch.cat(parts, dim=-1)


def weight_of(module: nn.Module) -> Tensor:
    """The weight of a linear map as `(d_out, d_in)`: GPT-2 has its maps the other way round."""
    return module.weight.T if isinstance(module, Conv1D) else module.weight


def with_weight(module: nn.Module, input: Tensor, weight: Tensor) -> Tensor:
    """A linear map with `weight` `(d_out, d_in)` in place of its own; with its own, its stock forward bit for bit."""
    if not isinstance(module, Conv1D):
        return F.linear(input, weight, module.bias)
    return torch.addmm(module.bias, input.reshape(-1, input.shape[-1]), weight.T).view(*input.shape[:-1], -1)
