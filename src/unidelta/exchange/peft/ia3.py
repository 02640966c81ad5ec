"""IA³: `ia3_l` is ℓ, as a column on what a map computes, as a row on what a feed-forward map reads."""

from collections.abc import Iterator, Sequence
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.axes import Insertion, Slot
from unidelta.design.site import INNER
from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.parts import part_of
from unidelta.exchange.peft.maps import check_targets, ended, fused_targets, parts_of_maps
from unidelta.exchange.peft.method import PREFIX, Foreign, PeftMethod
from unidelta.exchange.peft.targets import module_names, shortest
from unidelta.exchange.places import linear_maps, placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.injection import Injection


class PeftIa3(PeftMethod):
    """`IA3Config`."""

    peft_type = "IA3"
    reads = frozenset({"target_modules", "feedforward_modules", "exclude_modules", "fan_in_fan_out"})
    ignores = frozenset({"init_ia3_weights"})

    def is_of(self, injection: Injection) -> bool:
        """Diagonals only."""
        return {part.form for part in injection.parts} == {"diagonal"}

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """Fused maps, and a composition that is no addition."""
        for part in injection.parts:
            if part.bias:
                yield f"it adds a trained vector at the {part.slot} (SSF); IA³ of peft only multiplies"
            if part.composition != "additive":
                yield f"its composition at the {part.slot} is {part.composition}; IA³ of peft is ℓ ⊙ h"
            yield from fused_targets(part, injection.model)
            if {INNER, "down"} <= {*part.targets}:
                yield "it has factors on both sides of the FFN's last map; peft has one vector a map"

    def config(self, injection: Injection) -> dict[str, Any]:
        """Target modules, and which of them are feed-forward."""
        every, placed = module_names(injection.model), placed_deltas(injection)
        inner = {each.host for each in placed if each.target == INNER}
        others = {each.host for each in placed} - inner
        # one list of ends for all: peft matches both keys in the same way
        short = [*(shortest(own, every) for own in (others, inner) if own)]
        is_transposed = {each.name: each.is_transposed for each in linear_maps(injection.model)}
        return {
            "target_modules": sorted({end for ends in short for end in ends}),
            "feedforward_modules": shortest(inner, every) if inner else [],
            "exclude_modules": None,
            "fan_in_fan_out": any(is_transposed[each.host] for each in placed),
            "init_ia3_weights": True,
        }

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """One for each map."""
        found = []
        for each in placed_deltas(injection):
            name = f"{each.name}.form.factors"
            shape = (1, -1) if each.target == INNER else (-1, 1)
            found.append(
                Tie(
                    theirs=f"{PREFIX}{each.host}.ia3_l",
                    ours=(name,),
                    join=lambda own, shape=shape: own[0].reshape(shape),
                    split=lambda theirs: (theirs.flatten(),),
                )
            )
        return found

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors, by the shape of which it is known what they multiply."""
        vectors = ended(foreign, ".ia3_l")
        rows = {name: tensor.dim() == 2 and tensor.shape[0] == 1 for name, tensor in vectors.items()}
        check_targets(foreign.config, rows, model, asked=foreign.asked)
        architecture = architecture_of_model(model)
        parts = []
        for where, is_row in parts_of_maps(rows, model, asked=foreign.asked):
            if is_row and (where["slot"], where["targets"]) != (Slot.FFN, ("down",)):
                why = f"it multiplies what {' and '.join(where['targets'])} reads"
                raise ExchangeError(foreign.asked, why, "feedforward_modules of the FFN's last map only")
            fields = {**where, "targets": (INNER,)} if is_row else where
            fields |= {"form": "diagonal", "insertion": Insertion.SEQUENTIAL, "bottleneck": 0, "dropout": None}
            parts.append(part_of(architecture, **fields))
        return Deltas(parts=tuple(parts))
