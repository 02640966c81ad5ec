"""Where a model's linear maps and deltas are, by the names of modules: what other libraries' files speak of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.axes import Representation, Slot
from unidelta.design.layers import indices
from unidelta.design.site import INNER, SiteShape
from unidelta.design.spec import Deltas, DeltaSpec
from unidelta.hosts.site import Host, Site
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMap:
    """A linear map of a sub-layer.

    Args:
        slot: attention or FFN.
        kind: which attention or FFN, as in `SiteShape`.
        layer: index of the layer in its stack.
        role: query, key, value, output; or up, down, gate.
        name: of the module.
        shares_module: whether the module computes other roles' maps as well.
        is_transposed: whether its weight is `(d_in, d_out)`.
        d_in: features it reads.
        d_out: features it computes.
    """

    slot: Slot
    kind: str
    layer: int
    role: str
    name: str
    shares_module: bool
    is_transposed: bool
    d_in: int
    d_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A delta in a model.

    Args:
        slot: attention or FFN.
        kind: which attention or FFN.
        layer: index of the layer in its stack.
        target: the role of the linear map that it changes, `inner`, or the representation.
        host: name of the module that holds it.
        name: of the delta itself.
        delta: the delta.
        part: the part of the design that it is of.
    """

    slot: Slot
    kind: str
    layer: int
    target: str
    host: str
    name: str
    delta: Delta | WeightDelta
    part: DeltaSpec


def linear_maps(model: PreTrainedModel) -> list[LinearMap]:
    """Every linear map of every sub-layer, attentions first."""
    names, found = _names(model), []
    architecture = architecture_of_model(model)
    for shape, site in zip(architecture.sites, architecture.family.hosts(model), strict=True):
        for role, linear in shape.linears.items():
            module = site.linears[role]
            found.append(
                LinearMap(
                    slot=shape.slot,
                    kind=shape.kind,
                    layer=shape.layer,
                    role=role,
                    name=names[id(module)],
                    shares_module=role in site.columns,
                    is_transposed=isinstance(module, Conv1D),
                    d_in=linear.d_in,
                    d_out=linear.d_out,
                )
            )
    return found


def placed_deltas(injection: Injection) -> list[Placed]:
    """Every delta of a design that has some, in the order of its sites."""
    model, design = injection.model, injection.design
    if not isinstance(design, Deltas):
        return []
    names, found = _names(model), []
    architecture = architecture_of_model(model)
    for shape, site in zip(architecture.sites, architecture.family.hosts(model), strict=True):
        for target, module, key in _held(site):
            delta = module.deltas[key]
            assert isinstance(delta, Delta | WeightDelta)
            found.append(
                Placed(
                    slot=shape.slot,
                    kind=shape.kind,
                    layer=shape.layer,
                    target=target,
                    host=names[id(module)],
                    name=f"{names[id(module)]}.deltas.{key}",
                    delta=delta,
                    part=_part_at(design, shape, target, architecture.attention_kinds),
                )
            )
    return found


def _part_at(design: Deltas, shape: SiteShape, target: str, depths: Mapping[str, int]) -> DeltaSpec:
    """The part whose delta is at a place; there is at most one."""
    stack = shape.kind.split("_")[0]
    n_layers = next(n for kind, n in depths.items() if kind.startswith(stack))
    (part,) = (
        part
        for part in design.parts
        if part.slot is shape.slot
        and (target in part.targets if part.targets else target == part.representation)
        and shape.layer in indices(part.layers, n_layers)
    )
    return part


def _held(site: Site) -> Iterator[tuple[str, Host, str]]:
    """(target, host, key) of the deltas at a site."""
    for role, module in site.linears.items():
        keys = {role: role} if role in site.columns else {role: str(Representation.LINEAR), INNER: INNER}
        for target, key in keys.items():
            if isinstance(module, Host) and key in module.deltas and (target != INNER or role == "down"):
                yield target, module, key
    for representation, hosting in site.hosts.items():
        module = hosting.module
        if isinstance(module, Host) and representation in module.deltas:
            yield representation, module, str(representation)


def _names(model: nn.Module) -> dict[int, str]:
    return {id(module): name for name, module in model.named_modules()}
