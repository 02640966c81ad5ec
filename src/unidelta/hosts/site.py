"""Where deltas are put in a model: stock modules whose class is swapped for one that knows about deltas.

No weight is renamed and nothing is wrapped. The new class keeps the stock one's name: a model prints, deepcopies,
compiles, checkpoints and is split over devices as it would without deltas, and the stock class can be put back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from torch import nn

from unidelta.design.axes import Representation


class Host(nn.Module):
    """To be put before a stock class: a module that deltas live in.

    A subclass's `forward` does what the stock one does and hands the representation to the delta that changes it.
    """

    deltas: nn.ModuleDict
    """The deltas by what they change."""

    settings: dict[str, Any]
    """What the host needs to know of its module, such as the name of the query's map."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies and pickles name the two classes that this one is made of: its own name is the stock one's."""
        return _empty, type(self).__bases__, self.__getstate__()


@cache
def host_class(host: type[Host], stock: type[nn.Module]) -> type[Host]:
    """The class of a stock module with deltas, called as the stock class is."""
    names = {"__module__": stock.__module__, "__qualname__": stock.__qualname__, "__doc__": stock.__doc__}
    return type(stock.__name__, (host, stock), names)


def _empty(host: type[Host], stock: type[nn.Module]) -> nn.Module:
    made = host_class(host, stock)
    return made.__new__(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """How a stock module takes deltas.

    Args:
        module: the stock module.
        host: what is put before its class.
        settings: what the host needs to know.
    """

    module: nn.Module
    host: type[Host]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One attention or FFN sub-layer of a model, as `SiteShape` is of an architecture.

    Args:
        hosts: for each representation that can be changed here, the module that holds the delta.
        linears: the linear maps of the sub-layer by role.
        dropout: the host's own dropout probability at this place.
        kind: as in `SiteShape`.
        layer: index of the layer in its stack.
        stack: the encoder or decoder that holds the layer; it owns the networks that serve all sites of a kind.
    """

    hosts: Mapping[Representation, Hosting]
    linears: Mapping[str, nn.Module]
    dropout: float
    kind: str
    layer: int
    stack: nn.Module


def attach(hosting: Hosting, key: str, delta: nn.Module | None) -> None:
    """Swap a module's class for the one that knows deltas, and give it one.

    Args:
        hosting: the module and its new class.
        key: the name that the delta is registered under: what it changes.
        delta: the delta; None for a host that has none of its own.

    Raises:
        ValueError: the place is taken.
    """
    module = hosting.module
    if not isinstance(module, Host):
        module.__class__ = host_class(hosting.host, type(module))
        module.deltas, module.settings = nn.ModuleDict(), {}
    module.settings |= hosting.settings
    if key in module.deltas:
        raise ValueError(f"`{type(module).__name__}` already has a delta at `{key}`.")
    if delta is not None:
        module.deltas[key] = delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A host that was made a stock module again, and what it needs to become one once more."""

    module: nn.Module
    host: type[Host]
    deltas: nn.ModuleDict
    settings: dict[str, Any]


def detach(module: Host) -> Detached:
    """Make a host the stock module that it was."""
    host, stock = type(module).__bases__
    detached = Detached(module=module, host=host, deltas=module.deltas, settings=module.settings)
    del module.deltas, module.settings
    module.__class__ = stock
    return detached


def reattach(detached: Detached) -> None:
    """Undo `detach`."""
    module = detached.module
    module.__class__ = host_class(detached.host, type(module))
    module.deltas, module.settings = detached.deltas, detached.settings


def change_host(module: Host, host: type[Host]) -> None:
    """Give a host another `forward`: that of another host class, before the same stock class."""
    module.__class__ = host_class(host, type(module).__bases__[1])
