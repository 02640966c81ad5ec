"""LoRA: `lora_A` is W_down, `lora_B` is W_up, and alpha / r is s."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.axes import Init, Insertion, Slot
from unidelta.design.site import INNER
from unidelta.design.spec import Deltas, DeltaSpec, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.alpha import alpha_of
from unidelta.exchange.folder import Foreign
from unidelta.exchange.parts import fixed_scale, part_of, scaled
from unidelta.exchange.peft.method import Method
from unidelta.exchange.peft.targets import matches, module_names, pattern_value, shortest
from unidelta.exchange.places import LinearMap, linear_maps, placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.inject import architecture_of
from unidelta.injection.injection import Injection

PREFIX = "base_model.model."
_LORA = re.compile(rf"{re.escape(PREFIX)}(.+)\.lora_(A|B)\.weight")
_CHANGES_BACKBONE = ("pissa", "olora", "loftq", "corda", "lora_ga")


class Lora(Method):
    """`LoraConfig` without DoRA."""

    peft_type = "LORA"
    reads = frozenset({"r", "lora_alpha", "lora_dropout", "target_modules", "rank_pattern", "alpha_pattern"}) | {
        *("use_rslora", "init_lora_weights", "exclude_modules", "fan_in_fan_out"),
    }
    ignores = frozenset({"megatron_core", "qalora_group_size", "layers_pattern", "loftq_config", "runtime_config"})

    def is_of(self, design: Design) -> bool:
        """Low-rank updates only."""
        return isinstance(design, Deltas) and {part.form for part in design.parts} == {"low_rank"}

    def has(self, config: Mapping[str, Any]) -> bool:
        """LoRA, and not DoRA."""
        return super().has(config) and not config.get("use_dora")

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """A sequential form, a trained s, the inner activation, fused maps, an s that no alpha gives."""
        assert isinstance(injection.design, Deltas)
        fused = {each.role for each in linear_maps(injection.model) if each.shares_module}
        for part in injection.design.parts:
            if part.insertion is Insertion.SEQUENTIAL:
                yield f"at the {part.slot} it reads what a map computes; LoRA of peft reads what the map reads"
            if INNER in part.targets:
                yield "it changes the FFN's inner activation; LoRA of peft changes what linear maps compute"
            if fused & {*part.targets}:
                yield f"{' and '.join(sorted(fused & {*part.targets}))} share one module in this backbone"
            scale = fixed_scale(part)
            if scale is None:
                yield f"its composition at the {part.slot} is {part.composition}; peft has one fixed alpha / r"
            elif alpha_of(scale, part.bottleneck) is None:
                yield f"no lora_alpha gives s={scale!r} with r={part.bottleneck} to the last bit"

    def config(self, injection: Injection) -> dict[str, Any]:
        """r, alpha and target modules; patterns where the FFN's differ from attention's."""
        assert isinstance(injection.design, Deltas)
        first, *others = injection.design.parts
        every, placed = module_names(injection.model), placed_deltas(injection.model)
        ranks, alphas = {}, {}
        for part in others:
            own = {each.host for each in placed if each.slot is part.slot}
            ends = shortest(own, [each.host for each in placed])
            if part.bottleneck != first.bottleneck:
                ranks |= {re.escape(end): part.bottleneck for end in ends}
            if _alpha_of(part) != _alpha_of(first):
                alphas |= {re.escape(end): _alpha_of(part) for end in ends}
        dropouts = {part.dropout or 0.0 for part in injection.design.parts}
        is_transposed = {each.name: each.is_transposed for each in linear_maps(injection.model)}
        return {
            "r": first.bottleneck,
            "lora_alpha": _alpha_of(first),
            "rank_pattern": ranks,
            "alpha_pattern": alphas,
            "target_modules": shortest({each.host for each in placed}, every),
            "exclude_modules": None,
            "lora_dropout": dropouts.pop() if len(dropouts) == 1 else 0.0,  # matters in training only
            "fan_in_fan_out": any(is_transposed[each.host] for each in placed),
            "bias": "none",
            "use_rslora": False,
            "use_dora": False,
            "init_lora_weights": True,
            "layers_to_transform": None,
            "layers_pattern": None,
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """Two for each map."""
        return [
            Tie(theirs=f"{PREFIX}{each.host}.lora_{letter}.weight", ours=(f"{each.name}.form.{own}",))
            for each in placed_deltas(injection.model)
            for letter, own in (("A", "down"), ("B", "up"))
        ]

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors, each kind of which has to be complete, with one r and one s."""
        config = foreign.config
        start = str(config.get("init_lora_weights", True)).lower()
        if start.startswith(_CHANGES_BACKBONE):
            why = f"init_lora_weights={start} has changed the backbone as well"
            instead = "in peft, save_pretrained(DIR, path_initial_model_for_weight_conversion=…), which makes it LoRA"
            raise ExchangeError(foreign.asked, why, instead)
        ranks: dict[str, int] = {}
        for name, tensor in foreign.tensors.items():
            if (found := _LORA.fullmatch(name)) is not None:
                ranks[found[1]] = tensor.shape[0] if found[2] == "A" else ranks.get(found[1], 0)
        check_targets(config, ranks, model, asked=foreign.asked)
        architecture = architecture_of(model.config, name=model.config.model_type)
        parts = []
        for slot, roles, maps in by_slot(ranks, model, asked=foreign.asked):
            settings = {(ranks[each.name], _scale(config, each.name, ranks[each.name], foreign)) for each in maps}
            if len(settings) != 1:
                why = f"its maps at the {slot} have different r or alpha; here there is one for each slot"
                raise ExchangeError(foreign.asked, why, "an adapter with one rank for attention and one for the FFN")
            ((rank, scale),) = settings
            parts.append(
                part_of(
                    architecture,
                    slot,
                    "low_rank",
                    Insertion.PARALLEL,
                    rank,
                    init=Init.LORA,
                    targets=roles,
                    dropout=float(config.get("lora_dropout") or 0.0),
                    **scaled(scale),
                )
            )
        return Deltas(parts=tuple(parts))


def by_slot(
    names: Mapping[str, Any], model: PreTrainedModel, *, asked: str
) -> Iterator[tuple[Slot, tuple[str, ...], list[LinearMap]]]:
    """For each slot, the roles of the maps named, and the maps.

    Args:
        names: of modules.
        model: the stock backbone.
        asked: in words, for the error.

    Raises:
        ExchangeError: a module is none of the maps here, or a role is there in some sub-layers only.
    """
    maps = {each.name: each for each in linear_maps(model) if not each.shares_module}
    strangers = sorted(set(names) - set(maps))
    if strangers or not names:
        why = f"{', '.join(strangers[:3])} is no linear map of a sub-layer here" if strangers else "it tunes no map"
        raise ExchangeError(asked, why, f"target_modules of {', '.join(sorted({n.rsplit('.', 1)[-1] for n in maps}))}")
    for slot in Slot:
        own = [maps[name] for name in names if maps[name].slot is slot]
        if not own:
            continue
        chosen = {each.role for each in own}
        everywhere = [each for each in maps.values() if each.slot is slot and each.role in chosen]
        absent = sorted({each.name for each in everywhere} - set(names))
        if absent:
            why = f"it has nothing at {absent[0]}{f' and {len(absent) - 1} more' if absent[1:] else ''}"
            instead = f"an adapter at every {' and '.join(sorted(chosen))} of the backbone, whole and of this backbone"
            raise ExchangeError(asked, why, instead)
        order = dict.fromkeys(each.role for each in everywhere)
        yield slot, tuple(order), everywhere


def check_targets(config: Mapping[str, Any], found: Mapping[str, Any], model: PreTrainedModel, *, asked: str) -> None:
    """Refuse modules that the backbone lacks, and a configuration that names other modules than those with tensors.

    Raises:
        ExchangeError: so it is.
    """
    if strangers := sorted(set(found) - set(module_names(model))):
        raise ExchangeError(asked, f"{strangers[0]} is no module of this backbone", "the backbone it was trained in")
    typed = config.get("target_modules")
    if typed == "all-linear":
        return
    targets = typed if isinstance(typed, str) else list(typed or ())
    meant = {name for name in module_names(model) if matches(targets, name)}
    if excluded := config.get("exclude_modules"):
        meant = {name for name in meant if not matches(excluded, name)}
    head = {each for each in config.get("modules_to_save") or ()}
    meant = {name for name in meant if not head & set(name.split("."))}
    if meant != set(found):
        other = sorted(meant ^ set(found))
        which = "has no tensors" if other[0] in meant else "is not in target_modules"
        raise ExchangeError(asked, f"{other[0]} {which}", "the folder as peft saved it, with its own backbone")


def _scale(config: Mapping[str, Any], name: str, rank: int, foreign: Foreign) -> float:
    stated = pattern_value(config.get("rank_pattern") or {}, name, config.get("r"))
    alpha = pattern_value(config.get("alpha_pattern") or {}, name, config.get("lora_alpha"))
    if stated != rank or not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha < math.inf:
        why = f"adapter_config.json says r={stated} and alpha={alpha} of {name}, whose tensors are of rank {rank}"
        raise ExchangeError(foreign.asked, why, "the folder as peft saved it")
    return alpha / math.sqrt(rank) if config.get("use_rslora") else alpha / rank


def _alpha_of(part: DeltaSpec) -> int | float:
    scale = fixed_scale(part)
    found = None if scale is None else alpha_of(scale, part.bottleneck)
    assert found is not None  # an obstacle otherwise
    return found
