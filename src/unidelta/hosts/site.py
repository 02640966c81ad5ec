"""Where deltas are attached in a model: stock modules whose class is swapped for one that applies deltas.

No weight is renamed and nothing is wrapped. The new class keeps the stock class's name: a model prints, deepcopies,
compiles, checkpoints and is split over devices as without deltas, and the stock class can be restored.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import nn

from unidelta.design.axes import Representation


class Host(nn.Module):
    """A mixin before a stock class: a module that holds deltas.

    A subclass's `forward` computes what the stock one does and applies the delta to the representation it changes.
    """

    deltas: nn.ModuleDict
    """The deltas by what they change."""

    settings: dict[str, Any]
    """What the host needs to know about its module, such as the name of the query map."""

    def by_name(self, args: tuple[Any, ...], keywords: dict[str, Any]) -> dict[str, Any]:
        """The arguments of one call by the names of the stock forward: those without a keyword first."""
        names = list(inspect.signature(type(self).__bases__[1].forward).parameters)[1:] if args else []
        return {**dict(zip(names, args, strict=False)), **keywords}

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies and pickles name the two base classes, because this class has the stock class's name."""
        return _empty, type(self).__bases__, self.__getstate__()


@cache
def host_class(host: type[Host], stock: type[nn.Module]) -> type[Host]:
    """The class of a stock module with deltas; it has the stock class's name."""
    names = {"__module__": stock.__module__, "__qualname__": stock.__qualname__, "__doc__": stock.__doc__}
    return type(stock.__name__, (host, stock), names)


def _empty(host: type[Host], stock: type[nn.Module]) -> nn.Module:
    cls = host_class(host, stock)
    return cls.__new__(cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """How a stock module takes deltas.

    Args:
        module: the stock module.
        host: the mixin put before its class.
        settings: what the host needs to know.
    """

    module: nn.Module
    host: type[Host]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One attention or FFN sub-layer of a model; the counterpart of `SiteShape` in an architecture.

    Args:
        hosts: for each representation that can be changed here, the module that holds the delta.
        linears: the linear maps of the sub-layer by role; several roles may share one module.
        columns: where they do, the features `[begin, end)` of its output that are each role's.
        key_norm: a norm of keys, one head at a time, before attention sees them; None if there is none.
        norm: the layer norm before the sub-layer, for a delta that reads its input; None if its host needs none.
        dropout: the host's own dropout probability at this place.
        kind: as in `SiteShape`.
        layer: index of the layer in its stack.
        stack: the encoder or decoder with the layer; it owns the networks that serve all sites of a kind.
        reader: the module that is given the tokens and which of them are padding; None if the stack is.
    """

    hosts: Mapping[Representation, Hosting]
    linears: Mapping[str, nn.Module]
    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    key_norm: nn.Module | None = None
    norm: nn.Module | None = None
    dropout: float
    kind: str
    layer: int
    stack: nn.Module
    reader: nn.Module | None = None


def attach(hosting: Hosting, key: str, delta: nn.Module | None) -> None:
    """Swap a module's class for its host class, and attach a delta.

    Args:
        hosting: the module and its new class.
        key: the name under which the delta is registered: the representation it changes.
        delta: the delta; None for a host without one.

    Raises:
        ValueError: there already is a delta at this key.
    """
    module = hosting.module
    if not isinstance(module, Host):
        _become(module, host_class(hosting.host, type(module)))
        module.deltas, module.settings = nn.ModuleDict(), {}
    module.settings |= hosting.settings
    if key in module.deltas:
        raise ValueError(f"`{type(module).__name__}` already has a delta at `{key}`.")
    if delta is not None:
        module.deltas[key] = delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A host that was turned back into a stock module, and what it needs to become a host again."""

    module: nn.Module
    host: type[Host]
    deltas: nn.ModuleDict
    settings: dict[str, Any]
    device: torch.device
    dtype: torch.dtype


def detach(module: Host) -> Detached:
    """Turn a host back into its stock module."""
    host, stock = type(module).__bases__
    deltas, settings = module.deltas, module.settings
    del module.deltas, module.settings
    device, dtype = _where(module)
    detached = Detached(module=module, host=host, deltas=deltas, settings=settings, device=device, dtype=dtype)
    _become(module, stock)
    return detached


def reattach(detached: Detached) -> None:
    """Undo `detach`; where the module was moved or converted meanwhile, so are its deltas."""
    module = detached.module
    device, dtype = _where(module)
    if device != detached.device:
        detached.deltas.to(device)
    if dtype != detached.dtype:
        detached.deltas.to(dtype)
    _become(module, host_class(detached.host, type(module)))
    module.deltas, module.settings = detached.deltas, detached.settings


def change_host(module: Host, host: type[Host]) -> None:
    """Give a host the `forward` of a different host class, before the same stock class."""
    _become(module, host_class(host, type(module).__bases__[1]))


def _where(module: nn.Module) -> tuple[torch.device, torch.dtype]:
    """The device and precision of a stock module."""
    weight = next(module.parameters())
    return weight.device, weight.dtype


def _become(module: nn.Module, cls: type[nn.Module]) -> None:
    module.__class__ = cls
    if "_old_forward" in vars(module):  # accelerate's hooks, on a model split over devices, call the forward they found
        module._old_forward = cls.forward.__get__(module)
