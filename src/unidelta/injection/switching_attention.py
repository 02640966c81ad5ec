"""`model.set_attn_implementation(NAME)` of a model with deltas at attention heads: that attention, with the deltas.

transformers looks an implementation up by its name; under a stock name it would compute attention without deltas.
"""

from functools import partial
from typing import Any

from transformers import PreTrainedModel

from unidelta.errors import DesignError
from unidelta.hosts.attention import BASES, PREFIX


def guard_attention(model: PreTrainedModel) -> None:
    """Make a model keep its deltas when its attention is switched."""
    model.set_attn_implementation = partial(_set_attn_implementation, model)  # a copy of the model gets its own


def has_own_attention(model: PreTrainedModel) -> bool:
    """Whether a model's deltas chose its attention, in a configuration that no other model shares."""
    return "set_attn_implementation" in vars(model)


def set_attention(model: PreTrainedModel, name: str) -> None:
    """The stock method."""
    type(model).set_attn_implementation(model, name)


def base_of(name: str) -> str:
    """The name of the stock attention under one with deltas; a stock one is its own."""
    return name.rpartition("_")[2] if name.startswith(PREFIX) else name


def _set_attn_implementation(model: PreTrainedModel, attn_implementation: Any, *args: Any, **kwargs: Any) -> None:
    """Like the stock method, among the implementations that deltas support.

    Raises:
        DesignError: it is another one.
    """
    now, name = model.config._attn_implementation, attn_implementation
    if now.startswith(PREFIX) and name in BASES:
        name = f"{now.removesuffix(base_of(now))}{name}"
    elif now.startswith(PREFIX) and not str(name).startswith(PREFIX):
        raise DesignError(
            f"model.set_attn_implementation({name!r}) with deltas at attention heads",
            f"they need {' or '.join(BASES)}",
            " or ".join(f"model.set_attn_implementation({base!r})" for base in BASES),
        )
    type(model).set_attn_implementation(model, name, *args, **kwargs)
