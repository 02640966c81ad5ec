"""Merge linear deltas, and deltas of weights, into their linear maps; exact, and undone bit for bit."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.axes import Representation
from unidelta.design.site import INNER
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
    """Whether a module is a linear map whose deltas can all be merged into its weight and its bias."""
    if not (isinstance(module, Host) and isinstance(module, nn.Linear)):
        return False
    return all(
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
    deltas = detached.deltas
    if Representation.LINEAR in deltas:  # on what the map computes; before what it reads is changed
        delta = deltas[Representation.LINEAR]
        if isinstance(delta, WeightDelta):
            module.weight.copy_(delta(module.weight))
        else:
            _merge_output(module, delta)
    if INNER in deltas:  # W (x + s (M x + b))
        delta = deltas[INNER]
        update, vector = _matrix(delta), delta.form.vector()
        if vector is not None:
            module.bias += module.weight @ (delta.compose.factor() * vector)
        module.weight += module.weight * update if update.dim() == 1 else module.weight @ update
    return Merged(detached=detached, weight=before[0], bias=before[1])


def _merge_output(module: nn.Linear, delta: Delta) -> None:
    update, vector = _matrix(delta), delta.form.vector()
    if not delta.parallel:  # h + s (M h + b) of h = W x + b
        if module.bias is not None:
            module.bias += _times(update, module.bias)
        update = _times(update, module.weight)
    module.weight += update if update.dim() == 2 else torch.diag(update)
    if vector is not None:
        module.bias += delta.compose.factor() * vector


def _matrix(delta: Delta) -> Tensor:
    """s M, or its diagonal."""
    return delta.compose.factor() * delta.form.matrix()


def _times(matrix: Tensor, other: Tensor) -> Tensor:
    """The product with a vector or matrix; a diagonal is a vector itself."""
    if matrix.dim() == 1:
        return matrix * other if other.dim() == 1 else matrix[:, None] * other
    return matrix @ other
