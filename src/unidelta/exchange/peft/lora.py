"""LoRA and rsLoRA: `lora_A` is W_down, `lora_B` is W_up; alpha / r, or alpha / √r, is s."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from transformers import PreTrainedModel

from unidelta.design.axes import Init, Insertion
from unidelta.design.site import INNER
from unidelta.design.spec import Deltas, DeltaSpec, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import alpha_of, fixed_scale, part_of, scaled
from unidelta.exchange.peft.maps import check_targets, ended, fused_targets, parts_of_maps, stated_targets
from unidelta.exchange.peft.method import Foreign, PeftMethod
from unidelta.exchange.peft.targets import pattern_value, shortest
from unidelta.exchange.places import placed_deltas
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection

_CHANGES_BACKBONE = ("pissa", "olora", "loftq", "corda", "lora_ga")
DIRECTION, _RANK_STABILISED = "magnitude_direction", "rank_stabilised"


class PeftLora(PeftMethod):
    """`LoraConfig` without DoRA."""

    peft_type = "LORA"
    reads = frozenset(
        "r lora_alpha lora_dropout target_modules rank_pattern alpha_pattern use_rslora init_lora_weights"
        " exclude_modules fan_in_fan_out layers_to_transform".split()
    )
    ignores = frozenset({"megatron_core", "qalora_group_size", "layers_pattern", "loftq_config", "runtime_config"})
    leaves = (("lora_A.weight", "form.down"), ("lora_B.weight", "form.up"))
    uses_dora: ClassVar[bool] = False
    compositions: ClassVar[tuple[str, ...]] = ("additive", "scaled", _RANK_STABILISED)

    def is_of(self, injection: Injection) -> bool:
        """Low-rank updates of one kind only."""
        kinds = {(part.form, part.generator, part.composition == DIRECTION) for part in injection.parts}
        return kinds == {("low_rank", None, self.uses_dora)}

    def has(self, config: Mapping[str, Any]) -> bool:
        """LoRA with DoRA, or without."""
        return super().has(config) and (config.get("use_dora") or False) is self.uses_dora

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """A sequential form, a trained s, the inner activation, fused maps, PiSSA, an s that no alpha gives."""
        is_rank_stabilised = _is_rank_stabilised(injection)
        for part in injection.parts:
            if part.insertion is Insertion.SEQUENTIAL:
                yield f"at the {part.slot} it reads what a map computes; LoRA of peft reads what the map reads"
            if INNER in part.targets:
                yield "it changes the FFN's inner activation; LoRA of peft changes what linear maps compute"
            yield from fused_targets(part, injection.model)
            if part.init is Init.PISSA:
                yield "PiSSA takes its start from the weights; LoRA of peft only adds"
            if part.composition not in self.compositions:
                yield f"its composition at the {part.slot} is {part.composition}; peft has one fixed alpha / r"
            elif _alpha(part, is_rank_stabilised=is_rank_stabilised) is None:
                yield f"no lora_alpha gives its s with r={part.bottleneck} to the last bit"

    def config(self, injection: Injection) -> dict[str, Any]:
        """r, alpha and target modules; patterns where parts differ."""
        first, *others = injection.parts
        is_rank_stabilised = _is_rank_stabilised(injection)
        placed = placed_deltas(injection)
        ranks, alphas = {}, {}
        alpha = _alpha(first, is_rank_stabilised=is_rank_stabilised)
        for part in others:
            ends = shortest({each.host for each in placed if each.part == part}, [each.host for each in placed])
            if part.bottleneck != first.bottleneck:
                ranks |= {re.escape(end): part.bottleneck for end in ends}
            if (own := _alpha(part, is_rank_stabilised=is_rank_stabilised)) != alpha:
                alphas |= {re.escape(end): own for end in ends}
        dropouts = {part.dropout or 0.0 for part in injection.parts}
        return {
            **stated_targets(injection),
            "r": first.bottleneck,
            "lora_alpha": alpha,
            "rank_pattern": ranks,
            "alpha_pattern": alphas,
            "lora_dropout": dropouts.pop() if len(dropouts) == 1 else 0.0,  # matters in training only
            "use_rslora": is_rank_stabilised,
            "use_dora": self.uses_dora,
            "init_lora_weights": True,
        }

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors, a part for each r and s."""
        config = foreign.config
        start = str(config.get("init_lora_weights", True)).lower()
        if start.startswith(_CHANGES_BACKBONE):
            why = f"init_lora_weights={start} has changed the backbone as well"
            instead = "in peft, save_pretrained(DIR, path_initial_model_for_weight_conversion=…), which makes it LoRA"
            raise ExchangeError(foreign.asked, why, instead)
        downs, ups = (ended(foreign, f".lora_{letter}.weight") for letter in "AB")
        ranks = {**dict.fromkeys(ups, 0), **{name: down.shape[0] for name, down in downs.items()}}
        check_targets(config, ranks, model, asked=foreign.asked)
        settings = {name: (rank, _alpha_stated(config, name, rank, foreign)) for name, rank in ranks.items()}
        architecture, dropout = architecture_of_model(model), float(config.get("lora_dropout") or 0.0)
        parts = []
        for where, (rank, alpha) in parts_of_maps(settings, model, asked=foreign.asked):
            fields = {"init": Init.LORA, "dropout": dropout, **self.composition(config, rank, alpha), **where}
            parts.append(part_of(architecture, form="low_rank", bottleneck=rank, **fields))
        return Deltas(parts=tuple(parts))

    def composition(self, config: Mapping[str, Any], rank: int, alpha: float) -> dict[str, Any]:
        """The composition of a part, and its s."""
        if config.get("use_rslora"):
            return {"composition": _RANK_STABILISED, "scale": float(alpha)}
        return scaled(alpha / rank)


def _is_rank_stabilised(injection: Injection) -> bool:
    return all(part.composition == _RANK_STABILISED for part in injection.parts)


def _alpha(part: DeltaSpec, *, is_rank_stabilised: bool) -> int | float | None:
    """lora_alpha, or None if none gives the same s."""
    if is_rank_stabilised:
        return int(part.scale) if part.scale == int(part.scale) else part.scale
    if part.composition == _RANK_STABILISED:
        scale = part.scale / math.sqrt(part.bottleneck)
    else:
        scale = part.scale if part.composition == DIRECTION else fixed_scale(part)
    return None if scale is None else alpha_of(scale, part.bottleneck)


def _alpha_stated(config: Mapping[str, Any], name: str, rank: int, foreign: Foreign) -> float:
    stated = pattern_value(config.get("rank_pattern") or {}, name, config.get("r"))
    alpha = pattern_value(config.get("alpha_pattern") or {}, name, config.get("lora_alpha"))
    if stated != rank or not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha < math.inf:
        why = f"adapter_config.json says r={stated} and alpha={alpha} of {name}, whose tensors are of rank {rank}"
        raise ExchangeError(foreign.asked, why, "the folder as peft saved it")
    return alpha
