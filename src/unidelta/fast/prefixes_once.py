"""Run a prefix's MLP once per forward, for all layers of its kind.

Identity: the rows of a layer are a slice of the product with the whole last map. Each layer draws its own dropout when
it uses its rows, so that the same elements are dropped as where it runs the MLP itself.
Gain: the gradient of a slice is a zero matrix of the full size; run layer by layer there is one per layer, 12 in a step
of the benchmark (docs/performance.md). With gradient checkpointing each layer runs the MLP itself, because a layer that
is recomputed for its gradient must compute its prefix again.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from unidelta.deltas.heads import HeadModule, KeysValues
from unidelta.deltas.reparam import PrefixMLP, ReparametrisedPrefix
from unidelta.hosts.stack import StackHost

Prefixes = Mapping[PrefixMLP, Mapping[int, tuple[Tensor, Tensor]]]
"""The output of each network before dropout in one forward of the model: P_k, P_v `(L, width)` by layer."""


class PrefixesOnce(StackHost):
    """A stack that passes `prefixes` to its layers, which pass all keywords on to their attention."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The stock forward."""
        mlps = [network for network in self.deltas.values() if isinstance(network, PrefixMLP)]
        if mlps and not (self.training and _checkpoints_gradients(self)):
            kwargs["prefixes"] = {mlp: every_layer(mlp) for mlp in mlps}
        return super().forward(*args, **kwargs)


def every_layer(mlp: PrefixMLP) -> dict[int, tuple[Tensor, Tensor]]:
    """P_k, P_v of all layers before dropout, in one pass."""
    p_LN = mlp.output(torch.tanh(mlp.hidden(mlp.embedding)))
    if mlp.start is not None:
        p_LN = p_LN + mlp.start
    sizes = [size for begin, middle, end in mlp.rows.values() for size in (middle - begin, end - middle)]
    both = iter(p_LN.split(sizes, dim=-1))
    return {layer: (next(both), next(both)) for layer in mlp.rows}


def vectors_of(form: HeadModule, prefixes: Prefixes | None) -> KeysValues:
    """P_k, P_v of a form, from the output for all layers if there is one."""
    prefix = form.prefix
    if prefixes is None or not isinstance(prefix, ReparametrisedPrefix):
        return form.keys_values()
    return form.split(*prefix.mlp.dropped(*prefixes[prefix.mlp][prefix.layer]))


def _checkpoints_gradients(stack: StackHost) -> bool:
    """Whether layers are computed again in the backward pass; all of a stack are, or none."""
    lists = (child for child in stack.children() if isinstance(child, nn.ModuleList))  # cheaper than a walk each step
    layers = (layer for layers in lists for layer in layers)
    return any(layer.gradient_checkpointing for layer in layers if isinstance(layer, GradientCheckpointingLayer))
