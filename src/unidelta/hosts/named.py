"""The sites of models whose layers are alike: an attention and an FFN, each a module of its own, found by names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from unidelta.design.axes import Representation
from unidelta.hosts.attention import AttentionHost
from unidelta.hosts.output import OutputHost
from unidelta.hosts.site import Hosting, Site

_ATTENTION = (Representation.HEADS, Representation.CONCAT, Representation.SUBLAYER)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionNames:
    """The names of an attention.

    Args:
        module: in its layer.
        linears: its maps by role, in it; roles of one name share one module, in equal parts.
        dropout: the probability of dropping a weight.
        head_norms: the norms of queries and of keys, one head at a time, in it; None if it has none.
        rotary: the module in the stack that gives rotary positions; None if there is none.
        layer_type: gives what that module needs to know of the layer, if anything.
        host: how it takes deltas.
    """

    module: str
    linears: Mapping[str, str]
    dropout: Callable[[Any], float]
    head_norms: tuple[str, str] | None = None
    rotary: str | None = None
    layer_type: Callable[[Any], str] | None = None
    host: type[AttentionHost] = AttentionHost


@dataclass(frozen=True, slots=True, kw_only=True)
class FfnNames:
    """The names of an FFN.

    Args:
        module: in its layer.
        linears: its maps by role, in it; roles of one name share one module, in equal parts.
        norm: the layer norm before it, in the layer.
    """

    module: str
    linears: Mapping[str, str]
    norm: str


def attentions(stack: nn.Module, layers: Iterable[nn.Module], kind: str, names: AttentionNames) -> list[Site]:
    """One kind of attention of a stack.

    Args:
        stack: the encoder or decoder.
        layers: its layers.
        kind: as in `SiteShape`.
        names: of the attention.
    """
    found: list[Site] = []
    for i, layer in enumerate(layers):
        module: Any = layer.get_submodule(names.module)
        linears, columns = _linears(module, names.linears)
        settings: dict[str, Any] = {"query": names.linears["query"]}
        if "query" in columns:
            settings["query_columns"] = slice(*columns["query"])
        if names.head_norms is not None:
            settings["query_norm"] = names.head_norms[0]
        if names.rotary is not None:
            settings["rotary"] = stack.get_submodule(names.rotary)
        if names.layer_type is not None:
            settings["layer_type"] = (names.layer_type(layer),)
        found.append(
            Site(
                hosts=dict.fromkeys(_ATTENTION, Hosting(module=module, host=names.host, settings=settings)),
                linears=linears,
                columns=columns,
                key_norm=None if names.head_norms is None else module.get_submodule(names.head_norms[1]),
                dropout=names.dropout(module),
                kind=kind,
                layer=i,
                stack=stack,
            )
        )
    return found


def ffns(stack: nn.Module, layers: Iterable[nn.Module], kind: str, names: FfnNames) -> list[Site]:
    """The FFNs of a stack, each at the end of its layer; arguments as of `attentions`."""
    found: list[Site] = []
    for i, layer in enumerate(layers):
        module = layer.get_submodule(names.module)
        linears, columns = _linears(module, names.linears)
        found.append(
            Site(
                hosts={
                    Representation.SUBLAYER: Hosting(module=module, host=OutputHost),
                    Representation.LAYER: Hosting(module=layer, host=OutputHost),
                },
                linears=linears,
                columns=columns,
                norm=layer.get_submodule(names.norm),
                dropout=0.0,
                kind=kind,
                layer=i,
                stack=stack,
            )
        )
    return found


def _linears(module: nn.Module, names: Mapping[str, str]) -> tuple[dict[str, nn.Module], dict[str, tuple[int, int]]]:
    """The maps by role, and the features of each role where one module computes several."""
    linears = {role: module.get_submodule(name) for role, name in names.items()}
    columns: dict[str, tuple[int, int]] = {}
    for name in {name for name in names.values() if list(names.values()).count(name) > 1}:
        roles = [role for role, own in names.items() if own == name]
        width = _out_features(linears[roles[0]]) // len(roles)
        columns |= {role: (i * width, (i + 1) * width) for i, role in enumerate(roles)}
    return linears, columns


def _out_features(linear: Any) -> int:
    return linear.nf if isinstance(linear, Conv1D) else linear.out_features
