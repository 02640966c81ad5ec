"""Less memory for more time: activations are not kept for the backward pass, but computed there once more."""

from collections.abc import Callable

from transformers import PreTrainedModel


def recompute_activations(model: PreTrainedModel, *, is_on: bool) -> None:
    """Turn activation checkpointing on or off: in training each layer keeps only its input, and computes the rest
    again in the backward pass. Losses are the same, and so are gradients, up to rounding.

    Args:
        model: with deltas or without; in evaluation nothing changes.
        is_on: whether it is on.
    """
    if is_on:
        # The other variant needs an input with a gradient, which the first layer of a frozen backbone does not have.
        checkpointing_method(model, "checkpointing_enable")({"use_reentrant": False})
    elif any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        checkpointing_method(model, "checkpointing_disable")()


def checkpointing_method(model: PreTrainedModel, name: str) -> Callable[..., None]:
    """A model's own method: `activation_NAME` from transformers 5.23 on, `gradient_NAME` before."""
    return getattr(model, f"activation_{name}", None) or getattr(model, f"gradient_{name}")
