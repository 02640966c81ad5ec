"""Less memory for more time: activations are not kept for the backward pass, but computed there once more."""

from collections.abc import Callable

from transformers import PreTrainedModel


def recompute_activations(model: PreTrainedModel, *, is_on: bool) -> None:
    """Have each layer of a model keep its input alone, in training; losses are the same and gradients too, up to
    rounding.

    Args:
        model: with deltas or without; in evaluation nothing changes.
        is_on: whether it does so.
    """
    if is_on:
        # The other variant needs an input with a gradient, which the first layer of a frozen backbone does not have.
        switch(model, "checkpointing_enable")({"use_reentrant": False})
    elif any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        switch(model, "checkpointing_disable")()


def switch(model: PreTrainedModel, name: str) -> Callable[..., None]:
    """A model's own method: `activation_NAME` from transformers 5.23 on, `gradient_NAME` before."""
    return getattr(model, f"activation_{name}", None) or getattr(model, f"gradient_{name}")
