"""What is saved beside deltas: a classification head, and what else a checkpoint of the backbone lacks."""

from collections.abc import Iterable

from torch import Tensor
from transformers import PreTrainedModel

from unidelta.injection.architecture import architecture_of_model


def head_name(model: PreTrainedModel) -> str | None:
    """The name of the classification head, if the model has one."""
    family = architecture_of_model(model).family
    return None if family.head_of(model) is None else family.head


def beside(model: PreTrainedModel, new: Iterable[str] = ()) -> dict[str, Tensor]:
    """The head's parameters and those named, in the model's order.

    Args:
        model: the backbone, with or without deltas.
        new: names of the parameters that its checkpoint lacks.
    """
    head, also = head_name(model), set(new)
    return {
        name: parameter.detach()
        for name, parameter in model.named_parameters()
        if name in also or (head is not None and name.startswith(f"{head}."))
    }
