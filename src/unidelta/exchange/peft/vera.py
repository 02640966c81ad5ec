"""VeRA: two diagonals for each map, and the frozen random maps A and B, which are the same everywhere."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from unidelta.deltas.frozen import FrozenMaps
from unidelta.design.axes import Init, Insertion
from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import fixed_scale, part_of
from unidelta.exchange.peft.maps import check_targets, ended, fused_targets, parts_of_maps, stated_targets
from unidelta.exchange.peft.method import Foreign, PeftMethod
from unidelta.exchange.places import Placed, placed_deltas
from unidelta.exchange.tie import Tie, fixed
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection

_NAMES = ("base_model.vera_A", "base_model.vera_B")


class PeftVera(PeftMethod):
    """`VeraConfig(save_projection=True)`."""

    peft_type = "VERA"
    reads = frozenset(
        "r target_modules exclude_modules fan_in_fan_out projection_prng_key save_projection d_initial"
        " layers_to_transform".split()
    )
    ignores = frozenset({"vera_dropout", "init_weights", "layers_pattern"})
    leaves = (("vera_lambda_b", "form.generated.b"), ("vera_lambda_d", "form.generated.d"))

    def is_of(self, injection: Injection) -> bool:
        """Low-rank updates with frozen maps only."""
        return {(part.form, part.generator) for part in injection.parts} == {("low_rank", "frozen")}

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """Maps A and B of several sizes, a scale, fused maps."""
        shared = [_shared(each) for each in placed_deltas(injection)]
        if any(not (a.equal(shared[0][0]) and b.equal(shared[0][1])) for a, b in shared):
            yield "its frozen maps differ between sub-layers, whose maps are of other sizes; peft has one A and one B"
        for part in injection.parts:
            if fixed_scale(part) != 1 or part.insertion is Insertion.SEQUENTIAL:
                yield f"its composition at the {part.slot} is {part.composition}; peft adds Δh, of what the map reads"
            yield from fused_targets(part, injection.model)

    def config(self, injection: Injection) -> dict[str, Any]:
        """r, the seed, and target modules."""
        part = injection.parts[0]
        options = dict(part.options)
        return {
            **stated_targets(injection),
            "r": part.bottleneck,
            "d_initial": options["d_start"],
            "projection_prng_key": options["projection_seed"],
            "save_projection": True,
            "vera_dropout": 0.0,
            "init_weights": True,
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """Two for each map, and A and B, which are what the seed gives."""
        frozen = map(fixed, _NAMES, _shared(placed_deltas(injection)[0]))
        return [*frozen, *super().ties(injection)]

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors; A and B have to be those that this project draws from the seed."""
        config, absent = foreign.config, [name for name in _NAMES if name not in foreign.tensors]
        rank, seed = config.get("r"), config.get("projection_prng_key")
        if absent or not isinstance(rank, int) or not isinstance(seed, int):
            why = f"it lacks {', '.join(absent)}" if absent else f"r={rank} and projection_prng_key={seed}"
            raise ExchangeError(foreign.asked, why, "a VeRA saved with save_projection=True")
        ranks = dict.fromkeys(ended(foreign, ".vera_lambda_d"), rank)
        check_targets(config, ranks, model, asked=foreign.asked)
        architecture, maps = architecture_of_model(model), parts_of_maps(ranks, model, asked=foreign.asked)
        options = (("projection_seed", seed), ("d_start", float(config.get("d_initial", 0.1))))
        fields = {"form": "low_rank", "bottleneck": rank, "generator": "frozen", "init": Init.LORA, "options": options}
        return Deltas(parts=tuple(part_of(architecture, **where, **fields) for where, _ in maps))


def _shared(each: Placed) -> tuple[Tensor, Tensor]:
    """A and B of a delta, as large as the largest place of its kind needs."""
    maps = each.delta.form.get_submodule("generated")
    assert isinstance(maps, FrozenMaps)
    with torch.no_grad():
        return maps.shared.a, maps.shared.b
