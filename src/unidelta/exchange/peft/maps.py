"""The linear maps that a folder of peft tunes: what its configuration says of them, and the parts of a design they are.

In peft every module has settings of its own; here a part is of all maps that have the same.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.axes import Slot
from unidelta.design.layers import indices
from unidelta.design.spec import DeltaSpec
from unidelta.errors import ExchangeError
from unidelta.exchange.peft.method import PREFIX, Foreign
from unidelta.exchange.peft.targets import matches, module_names, shortest
from unidelta.exchange.places import LinearMap, linear_maps, placed_deltas
from unidelta.injection.injection import Injection


def ended(foreign: Foreign, end: str) -> dict[str, Tensor]:
    """The tensors whose names have an end, by the module that they are of."""
    names = (name for name in foreign.tensors if name.startswith(PREFIX) and name.endswith(end))
    return {name.removeprefix(PREFIX).removesuffix(end): foreign.tensors[name] for name in names}


def stated_targets(injection: Injection) -> dict[str, Any]:
    """The keys of a configuration that say which maps are tuned."""
    placed = placed_deltas(injection)
    is_transposed = {each.name: each.is_transposed for each in linear_maps(injection.model)}
    return {
        "target_modules": shortest({each.host for each in placed}, module_names(injection.model)),
        "exclude_modules": None,
        "fan_in_fan_out": any(is_transposed[each.host] for each in placed),
        "bias": "none",
        "layers_to_transform": None,
        "layers_pattern": None,
    }


def fused_targets(part: DeltaSpec, model: PreTrainedModel) -> Iterator[str]:
    """Why maps that share a module with others cannot go to peft, if a part has such."""
    fused = {each.role for each in linear_maps(model) if each.shares_module}
    if own := sorted(fused & {*part.targets}):
        yield f"{' and '.join(own)} share one module in this backbone"


def parts_of_maps(
    settings: Mapping[str, Any], model: PreTrainedModel, *, asked: str
) -> Iterator[tuple[dict[str, Any], Any]]:
    """The maps named, as few parts as they make: their slot, targets and layers, and the setting that all have.

    Args:
        settings: of each module, by name.
        model: the stock backbone.
        asked: in words, for the error.

    Raises:
        ExchangeError: a module is none of the maps here, or a role is there in some stacks or attentions only.
    """
    every = linear_maps(model)
    maps = {each.name: each for each in every if not each.shares_module}
    strangers = sorted(set(settings) - set(maps))
    if strangers or not settings:
        why = f"{', '.join(strangers[:3])} is not a linear map of a sub-layer here" if strangers else "it tunes no map"
        raise ExchangeError(asked, why, f"target_modules of {', '.join(sorted({n.rsplit('.', 1)[-1] for n in maps}))}")
    found: dict[tuple[Slot, Any, str], list[str]] = {}
    for slot, role in dict.fromkeys((each.site.slot, each.role) for each in every):
        own = [each for each in maps.values() if (each.site.slot, each.role) == (slot, role)]
        for setting in dict.fromkeys(settings[each.name] for each in own if each.name in settings):
            chosen = [each for each in own if settings.get(each.name) == setting]
            found.setdefault((slot, setting, _layers(chosen, own, asked)), []).append(role)
    for (slot, setting, layers), roles in found.items():
        yield {"slot": slot, "targets": tuple(roles), "layers": layers}, setting


def _layers(chosen: list[LinearMap], every: list[LinearMap], asked: str) -> str:
    """The selection of layers that gives exactly the maps chosen."""
    if len(chosen) == len(every):
        return "all"
    layers = ",".join(map(str, sorted({each.site.layer for each in chosen})))
    depth = 1 + max(each.site.layer for each in every)
    absent = [each.name for each in every if each.site.layer in indices(layers, depth) and each not in chosen]
    if absent:
        why = f"it has nothing like that at {absent[0]}{f' and {len(absent) - 1} more' if absent[1:] else ''}"
        instead = "an adapter of which the same layers have the same, in every stack and attention"
        raise ExchangeError(asked, why, instead)
    return layers


def check_targets(config: Mapping[str, Any], found: Mapping[str, Any], model: PreTrainedModel, *, asked: str) -> None:
    """Refuse modules that the backbone lacks, and a configuration that names other modules than those with tensors.

    Raises:
        ExchangeError: it names others, or the backbone lacks one.
    """
    if strangers := sorted(set(found) - set(module_names(model))):
        raise ExchangeError(asked, f"{strangers[0]} is not a module of this backbone", "the backbone it was trained in")
    typed = config.get("target_modules")
    if typed == "all-linear" or config.get("layers_to_transform") not in (None, []):
        return  # which modules they are, the tensors say
    targets = typed if isinstance(typed, str) else list(typed or ())
    meant = {name for name in module_names(model) if matches(targets, name)}
    if excluded := config.get("exclude_modules"):
        meant = {name for name in meant if not matches(excluded, name)}
    whole = config.get("modules_to_save") or ()
    meant = {name for name in meant if not any(f".{each}." in f".{name}." for each in whole)}
    if meant != set(found):
        other = sorted(meant ^ set(found))
        which = "has no tensors" if other[0] in meant else "is not in target_modules"
        raise ExchangeError(asked, f"{other[0]} {which}", "the folder as peft saved it, with its own backbone")
