"""Where a model's linear maps and deltas are, by the names of modules: what other libraries' files speak of."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.design.site import SiteShape, places
from unidelta.design.spec import DeltaSpec
from unidelta.hosts.site import Host, Site
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.inject import hosting_of
from unidelta.injection.injection import Injection


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMap:
    """A linear map of a sub-layer.

    Args:
        site: the sub-layer.
        role: query, key, value, output; or up, down, gate.
        name: of the module.
        shares_module: whether the module computes other roles' maps as well.
        is_transposed: whether its weight is `(d_in, d_out)`.
    """

    site: SiteShape
    role: str
    name: str
    shares_module: bool
    is_transposed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A delta in a model.

    Args:
        site: the sub-layer.
        target: the linear map that it changes, by its role, or `inner`; "" if it is not on a linear map.
        host: name of the module that holds it.
        name: of the delta itself.
        delta: the delta.
        part: the part of the design that it is of.
    """

    site: SiteShape
    target: str
    host: str
    name: str
    delta: Delta | WeightDelta
    part: DeltaSpec


def linear_maps(model: PreTrainedModel) -> list[LinearMap]:
    """Every linear map of every sub-layer, attentions first."""
    names = _names(model)
    return [
        LinearMap(
            site=shape,
            role=role,
            name=names[id(module := site.linears[role])],
            shares_module=role in site.columns,
            is_transposed=isinstance(module, Conv1D),
        )
        for shape, site in _sites(model)
        for role in shape.linears
    ]


def placed_deltas(injection: Injection) -> list[Placed]:
    """Every delta of a design that is in the model, in the order of its sites; those that are merged are not."""
    names, found = _names(injection.model), []
    architecture = architecture_of_model(injection.model)
    sites_of = {part: architecture.sites_of(part) for part in injection.parts}
    for shape, site in _sites(injection.model):
        for part in (part for part, chosen in sites_of.items() if shape in chosen):
            for place in places(part, shape):
                hosting, key = hosting_of(part, place, site)
                module = hosting.module
                if isinstance(module, Host) and key in module.deltas:
                    delta, host = module.deltas[key], names[id(module)]
                    assert isinstance(delta, Delta | WeightDelta)
                    name = f"{host}.deltas.{key}"
                    found.append(Placed(site=shape, target=place.target, host=host, name=name, delta=delta, part=part))
    return found


def _sites(model: PreTrainedModel) -> Iterator[tuple[SiteShape, Site]]:
    architecture = architecture_of_model(model)
    return zip(architecture.sites, architecture.family.hosts(model), strict=True)


def _names(model: nn.Module) -> dict[int, str]:
    return {id(module): name for name, module in model.named_modules()}
