"""Frozen weights of linear maps in half precision, for runs whose arithmetic is.

Identity: autocast rounds a linear map's weight and bias at every use; rounded once, they are the same. Embeddings and
layer norms, which autocast leaves alone, stay in float32, and so does all that trains.
Gain: half the memory of these weights, and no cast per use (docs/performance.md).
"""

from collections.abc import Sequence

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unidelta.injection import saved
from unidelta.injection.injection import Injection

_LINEAR = (nn.Linear, Conv1D)


def store_frozen(injection: Injection, dtype: torch.dtype, *, new: Sequence[str]) -> None:
    """Store frozen linear weights in `dtype`; deltas that are saved later belong to the backbone as it is now.

    Args:
        injection: a model that has not been trained.
        dtype: what the run's arithmetic rounds to; float32 changes nothing.
        new: names of the backbone's parameters that its checkpoint lacks.
    """
    if dtype != torch.float32:
        saved.note_as_loaded(injection, new=new)
        store_in_half(injection.model, dtype)


@torch.no_grad()
def store_in_half(model: PreTrainedModel, dtype: torch.dtype) -> int:
    """Round every frozen weight and bias of a linear map to `dtype`, in place.

    A weight that something else uses too, such as token embeddings, stays as it is.

    Args:
        model: with deltas or without; used under autocast to `dtype` only from now on.
        dtype: float16 or bfloat16.

    Returns:
        The number of bytes saved.
    """
    users: dict[int, list[nn.Module]] = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            users.setdefault(id(parameter), []).append(module)
    saved = 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            is_linear = all(isinstance(user, _LINEAR) for user in users[id(parameter)])
            if is_linear and not parameter.requires_grad and parameter.dtype == torch.float32:
                parameter.data = parameter.data.to(dtype)
                saved += parameter.numel() * (4 - dtype.itemsize)
    return saved
