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

from unidelta.deltas.delta import WeightDelta
from unidelta.deltas.frozen_map import FrozenMap
from unidelta.hosts.site import Host
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

    A weight that something else uses too stays as it is: token embeddings, and what a delta reads (DoRA's weight).

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
    n_saved, kept_whole = 0, _read_by_deltas(model)
    for module in (module for module in model.modules() if id(module) not in kept_whole):
        for parameter in module.parameters(recurse=False):
            is_linear = all(isinstance(user, _LINEAR) for user in users[id(parameter)])
            if is_linear and not parameter.requires_grad and parameter.dtype == torch.float32:
                parameter.data = parameter.data.to(dtype)
                n_saved += parameter.numel() * (4 - dtype.itemsize)
    return n_saved


def _read_by_deltas(model: nn.Module) -> set[int]:
    """The ids of linear maps whose weight a delta computes with."""
    found: set[int] = set()
    for module in model.modules():
        if isinstance(module, Host) and any(isinstance(delta, WeightDelta) for delta in module.deltas.values()):
            found.add(id(module))
        for value in vars(module).values():
            maps = value if isinstance(value, tuple) else (value,)
            found |= {id(each.module) for each in maps if isinstance(each, FrozenMap)}
    return found
