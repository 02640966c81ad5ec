"""Less memory for more time: activations are not kept for the backward pass, but computed there once more."""

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
        model.activation_checkpointing_enable({"use_reentrant": False})
    elif model.is_activation_checkpointing:
        model.activation_checkpointing_disable()
