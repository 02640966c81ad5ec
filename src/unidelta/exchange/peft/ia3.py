"""IA³: `ia3_l` is ℓ, as a column on what a map computes, as a row on what a feed-forward map reads."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from transformers import PreTrainedModel

from unidelta.design.axes import Insertion, Slot
from unidelta.design.site import INNER
from unidelta.design.spec import Deltas, Design
from unidelta.errors import ExchangeError
from unidelta.exchange.folder import Foreign
from unidelta.exchange.parts import part_of
from unidelta.exchange.peft.lora import PREFIX, by_slot, check_targets
from unidelta.exchange.peft.method import Method
from unidelta.exchange.peft.targets import module_names, shortest
from unidelta.exchange.places import linear_maps, placed_deltas
from unidelta.exchange.tie import Tie, reshaped
from unidelta.injection.inject import architecture_of
from unidelta.injection.injection import Injection

_IA3 = re.compile(rf"{re.escape(PREFIX)}(.+)\.ia3_l")


class Ia3(Method):
    """`IA3Config`."""

    peft_type = "IA3"
    reads = frozenset({"target_modules", "feedforward_modules", "exclude_modules", "fan_in_fan_out"})
    ignores = frozenset({"init_ia3_weights"})

    def is_of(self, design: Design) -> bool:
        """Diagonals only."""
        return isinstance(design, Deltas) and {part.form for part in design.parts} == {"diagonal"}

    def obstacles(self, injection: Injection) -> Iterator[str]:
        """Fused maps, and a composition that is no addition."""
        assert isinstance(injection.design, Deltas)
        fused = {each.role for each in linear_maps(injection.model) if each.shares_module}
        for part in injection.design.parts:
            if part.composition != "additive":
                yield f"its composition at the {part.slot} is {part.composition}; IA³ of peft is ℓ ⊙ h"
            if fused & {*part.targets}:
                yield f"{' and '.join(sorted(fused & {*part.targets}))} share one module in this backbone"
            if {INNER, "down"} <= {*part.targets}:
                yield "it has factors on both sides of the FFN's last map; peft has one vector a map"

    def config(self, injection: Injection) -> dict[str, Any]:
        """Target modules, and which of them are feed-forward."""
        every, placed = module_names(injection.model), placed_deltas(injection.model)
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
        for each in placed_deltas(injection.model):
            name = f"{each.name}.form.factors"
            n = injection.model.get_parameter(name).numel()
            shape = (1, n) if each.target == INNER else (n, 1)
            found.append(reshaped(f"{PREFIX}{each.host}.ia3_l", name, shape, (n,)))
        return found

    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """Of the maps that have tensors, by the shape of which it is known what they multiply."""
        rows = {
            found[1]: tensor.dim() == 2 and tensor.shape[0] == 1
            for name, tensor in foreign.tensors.items()
            if (found := _IA3.fullmatch(name)) is not None
        }
        check_targets(foreign.config, rows, model, asked=foreign.asked)
        architecture = architecture_of(model.config, name=model.config.model_type)
        parts = []
        for slot, roles, maps in by_slot(rows, model, asked=foreign.asked):
            reading = {each.role for each in maps if rows[each.name]}
            mixed = reading & {each.role for each in maps if not rows[each.name]}
            if mixed or reading - {"down"} or (reading and slot is not Slot.FFN):
                why = f"it multiplies what {' and '.join(sorted(reading))} reads"
                raise ExchangeError(foreign.asked, why, "feedforward_modules of the FFN's last map only")
            targets = tuple(INNER if role in reading else role for role in roles)
            parts.append(
                part_of(architecture, slot, "diagonal", Insertion.SEQUENTIAL, 0, dropout=None, targets=targets)
            )
        return Deltas(parts=tuple(parts))
