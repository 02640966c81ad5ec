"""Prefix MLPs run once a forward: a hook on the encoder or decoder that owns them, for all of its layers.

A network run per layer costs as much in the forward pass, but its last map is then sliced, and the gradient of every
slice is a matrix of zeros of the size of all of them.
"""

from typing import Any

from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from unidelta.deltas.reparam import PrefixMLP


def use_prefixes_once(stack: nn.Module) -> None:
    """Have the prefix MLPs among a stack's children run once a forward; the hook is copied with the stack."""
    stack.register_forward_pre_hook(_add_prefixes, with_kwargs=True)


def _add_prefixes(stack: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Hand `prefixes`, what each MLP makes, to the layers, which hand all keywords on to their attention."""
    if stack.training and any(
        isinstance(module, GradientCheckpointingLayer) and module.gradient_checkpointing for module in stack.modules()
    ):
        return args, kwargs  # a layer run again for its gradient has to make its own prefix again
    mlps = [child for child in stack.children() if isinstance(child, PrefixMLP)]
    return (args, {**kwargs, "prefixes": {mlp: mlp.every_layer() for mlp in mlps}}) if mlps else (args, kwargs)
