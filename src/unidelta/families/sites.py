"""Where a delta can be put in a model, by the names of one architecture.

A *host* is a stock module whose class is swapped for a subclass that knows about deltas: no weight is
renamed, nothing is wrapped, and the result deepcopies, compiles and checkpoints like the stock model.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from unidelta.deltas.delta import Delta
from unidelta.design.axes import Representation


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One attention or FFN sub-layer of a model.

    Args:
        hosts: for each representation that can be changed here, the module that holds the delta.
        linears: the linear maps of the sub-layer by role, for LoRA.
        dropout: the host's own dropout probability at this place.
        kind: kind of attention (`encoder_self`, `decoder_self`, `decoder_cross`) or `ffn`.
        layer: index of the layer in its stack.
        stack: the encoder or decoder that holds the layer; it owns the prefix MLP of its kinds.
    """

    hosts: Mapping[Representation, nn.Module]
    linears: Mapping[str, nn.Linear]
    dropout: float
    kind: str
    layer: int
    stack: nn.Module


def attach(host: nn.Module, representation: Representation, delta: Delta, swap: Mapping[type, type]) -> None:
    """Swap a host's class for the one that knows deltas, and give it one.

    Args:
        host: a stock module, or one that was swapped before.
        representation: which representation the delta changes; the name it is registered under.
        delta: the delta.
        swap: stock class to delta class.

    Raises:
        ValueError: if the place is taken or the class is unknown.
    """
    if type(host) in swap:
        host.__class__ = swap[type(host)]
        host.deltas = nn.ModuleDict()
    elif type(host) not in swap.values():
        raise ValueError(f"No delta can be put into a `{type(host).__name__}`.")
    if representation in host.deltas:
        raise ValueError(f"`{type(host).__name__}` already has a delta at `{representation}`.")
    host.deltas[representation] = delta
