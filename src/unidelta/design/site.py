"""The shapes of a backbone's attentions and FFNs: all that counts, budgets and rules need to know about them.

A *site* is one attention or FFN sub-layer. Every count is a sum over sites, so grouped-query attention, gated FFNs and
heads that are wider than the model need no special case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unidelta.design.axes import Insertion, Representation, Slot
from unidelta.design.spec import DeltaSpec

INNER = "inner"
"""A target that is not a linear map: the FFN's inner activation, the input of its `down` map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearShape:
    """A linear map from `d_in` to `d_out` features, with or without a bias."""

    d_in: int
    d_out: int
    bias: bool = True

    @property
    def n_weights(self) -> int:
        """Elements of the matrix."""
        return self.d_in * self.d_out


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteShape:
    """One attention or FFN sub-layer.

    Args:
        slot: attention or FFN.
        kind: which of a model's attentions or FFNs, e.g. `decoder_cross`; one prefix MLP serves one kind.
        layer: index of the layer in its stack, from 0.
        width: features of the sub-layer's input and output, d.
        linears: the linear maps inside, by role: query, key, value, output; or up, down and, in a gated FFN, gate.
        n_heads: attention heads; 0 for an FFN.
        n_kv_heads: heads of keys and values, fewer in grouped-query attention.
        head_width: features of a head, d_h.
        logits_times: the factor of attention on its logits q kᵀ; None for 1/√d_h.
    """

    slot: Slot
    kind: str
    layer: int
    width: int
    linears: Mapping[str, LinearShape]
    n_heads: int = 0
    n_kv_heads: int = 0
    head_width: int = 0
    logits_times: float | None = None

    @property
    def logit_scale(self) -> float:
        """The factor on the logits q kᵀ."""
        return self.head_width**-0.5 if self.logits_times is None else self.logits_times

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets here for a form on linear maps."""
        return (*self.linears, *((INNER,) if self.slot is Slot.FFN else ()))


def in_every_layer(n_layers: Mapping[str, int], **shape: Any) -> list[SiteShape]:
    """Sub-layers of one shape: one in every layer, for each kind and its number of layers."""
    return [SiteShape(kind=kind, layer=i, **shape) for kind, n in n_layers.items() for i in range(n)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one delta goes.

    Args:
        site: the sub-layer.
        target: the linear map, or `inner`; "" if the delta is not on a linear map.
        d_read: features of what the form reads.
        d_changed: features of what it changes.
    """

    site: SiteShape
    target: str = ""
    d_read: int
    d_changed: int


def places(spec: DeltaSpec, site: SiteShape) -> list[Place]:
    """The places of a delta at one site: one, or one for each of its targets."""
    is_parallel = spec.insertion is Insertion.PARALLEL
    match spec.representation:
        case Representation.LINEAR:
            return [_at_linear(site, target, is_parallel=is_parallel) for target in spec.targets]
        case Representation.INPUT:
            widths = [(target, site.linears[target].d_in) for target in spec.targets]
            return [Place(site=site, target=target, d_read=d, d_changed=d) for target, d in widths]
        case Representation.HEADS:
            width = site.n_heads * site.head_width
            return [Place(site=site, d_read=width, d_changed=width)]
        case Representation.CONCAT:
            width = site.linears["output"].d_in
            return [Place(site=site, d_read=site.width if is_parallel else width, d_changed=width)]
        case _:
            return [Place(site=site, d_read=site.width, d_changed=site.width)]


def _at_linear(site: SiteShape, target: str, *, is_parallel: bool) -> Place:
    if target == INNER:
        width = site.linears["down"].d_in
        return Place(site=site, target=target, d_read=width, d_changed=width)
    shape = site.linears[target]
    return Place(site=site, target=target, d_read=shape.d_in if is_parallel else shape.d_out, d_changed=shape.d_out)
