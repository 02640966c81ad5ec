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
        _method(model, "checkpointing_enable")({"use_reentrant": False})
    elif any(getattr(module, "gradient_checkpointing", False) for module in model.modules()):
        _method(model, "checkpointing_disable")()


def _method(model: PreTrainedModel, name: str) -> Callable[..., None]:
    """`activation_…` from transformers 5.23 on, where the older name warns, `gradient_…` before."""
    return getattr(model, f"activation_{name}", None) or getattr(model, f"gradient_{name}")
