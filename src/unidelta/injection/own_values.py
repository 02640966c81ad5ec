"""Values of a model's own parameters, such as those of a head: taken, and put back wherever the parameters are now."""

from collections.abc import Iterable, Mapping

from torch import Tensor
from transformers import PreTrainedModel


def values_of(model: PreTrainedModel, names: Iterable[str]) -> dict[str, Tensor]:
    """Copies by name, of the parameters that there are."""
    parameters = dict(model.named_parameters())
    return {name: parameters[name].detach().clone() for name in names if name in parameters}


def put_values(model: PreTrainedModel, values: Mapping[str, Tensor]) -> None:
    """Put values into the parameters of these names; a parameter of another shape is another one, and stays."""
    parameters = dict(model.named_parameters())
    for name, value in values.items():
        if name in parameters and parameters[name].shape == value.shape:
            parameters[name].data.copy_(value)
