"""Merge linear deltas, and deltas of weights, into their linear maps; exact, and undone bit for bit."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.axes import Representation
from unidelta.design.site import INNER
from unidelta.hosts.linear import weight_of
from unidelta.hosts.site import Detached, Host, detach, reattach


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A linear map with its deltas merged, and its state before."""

    detached: Detached
    weight: Tensor
    bias: Tensor | None

    def undo(self) -> None:
        """Restore the original weights and the separate deltas."""
        module = self.detached.module
        module.weight.data.copy_(self.weight)
        if self.bias is not None:
            module.bias.data.copy_(self.bias)
        reattach(self.detached)


def is_linear(delta: nn.Module) -> bool:
    """Whether a delta is h ← h + s (M z + b) for a fixed matrix M and vector b."""
    return isinstance(delta, Delta) and delta.form.is_linear and delta.compose.factor() is not None


def is_mergeable(module: nn.Module) -> bool:
    """Whether a module is a linear map whose deltas can all be merged into its weight and bias; not if quantised."""
    if not (isinstance(module, Host) and isinstance(module, nn.Linear | Conv1D)):
        return False
    return module.weight.is_floating_point() and all(
        isinstance(delta, WeightDelta)
        or (is_linear(delta) and (delta.form.vector() is None or module.bias is not None))
        for delta in module.deltas.values()
    )


@torch.no_grad()
def merge_into_weights(model: nn.Module) -> list[Merged]:
    """Merge every delta that can be merged; returns what undoes it, to be undone in reverse order."""
    return [_merge(module) for module in list(model.modules()) if is_mergeable(module)]


def _merge(module: nn.Module) -> Merged:
    detached = detach(module)
    before = module.weight.detach().clone(), None if module.bias is None else module.bias.detach().clone()
    weight = weight_of(module)  # (d_out, d_in), changed in place
    columns = {Representation.LINEAR: (0, weight.shape[0]), **detached.settings.get("columns", {})}
    for key, delta in detached.deltas.items():  # on what the map computes; before what it reads is changed
        if key == INNER:
            continue
        own = slice(*columns[key])
        if isinstance(delta, WeightDelta):
            weight[own].copy_(delta(weight[own]))
        else:
            _add(delta, weight[own], None if module.bias is None else module.bias[own])
    if INNER in detached.deltas:  # W (x + s (M x + b))
        delta = detached.deltas[INNER]
        update, vector = _matrix(delta), delta.form.vector()
        if vector is not None:
            module.bias += weight @ (delta.compose.factor() * vector)
        weight += weight * update if update.dim() == 1 else weight @ update
    return Merged(detached=detached, weight=before[0], bias=before[1])


def _add(delta: Delta, weight: Tensor, bias: Tensor | None) -> None:
    """Change the weight `(d_out, d_in)` and the bias of a map by a delta on its output, in place."""
    update, vector = _matrix(delta), delta.form.vector()
    if not delta.is_parallel:  # h + s (M h + b) of h = W x + b
        if bias is not None:
            bias += _times(update, bias)
        update = _times(update, weight)
    weight += update if update.dim() == 2 else torch.diag(update)
    if vector is not None:
        bias += delta.compose.factor() * vector


def _matrix(delta: Delta) -> Tensor:
    """s M, or its diagonal."""
    return delta.compose.factor() * delta.form.matrix()


def _times(matrix: Tensor, other: Tensor) -> Tensor:
    """The product with a vector or matrix; a diagonal is a vector itself."""
    if matrix.dim() == 1:
        return matrix * other if other.dim() == 1 else matrix[:, None] * other
    return matrix @ other
