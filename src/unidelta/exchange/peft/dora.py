"""DoRA: LoRA's tensors, and the length of each row of W in `lora_magnitude_vector`."""

from collections.abc import Mapping, Sequence
from typing import Any

from unidelta.design.spec import Deltas, Design
from unidelta.exchange.peft.lora import Lora
from unidelta.exchange.peft.maps import PREFIX
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.injection import Injection

_COMPOSITION = "magnitude_direction"


class Dora(Lora):
    """`LoraConfig(use_dora=True)`."""

    compositions = (_COMPOSITION,)

    def is_of(self, design: Design) -> bool:
        """Low-rank updates of a direction."""
        parts = design.parts if isinstance(design, Deltas) else ()
        return bool(parts) and all(
            part.form == "low_rank" and part.generator is None and part.composition == _COMPOSITION for part in parts
        )

    def has(self, config: Mapping[str, Any]) -> bool:
        """LoRA with DoRA."""
        return config.get("peft_type") == self.peft_type and config.get("use_dora") is True

    def config(self, injection: Injection) -> dict[str, Any]:
        """That of LoRA."""
        return {**super().config(injection), "use_dora": True}

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """Three for each map."""
        lengths = [
            Tie(theirs=f"{PREFIX}{each.host}.lora_magnitude_vector", ours=(f"{each.name}.compose.magnitude",))
            for each in placed_deltas(injection)
        ]
        return [*super().ties(injection), *lengths]

    def composition(self, config: Mapping[str, Any], rank: int, alpha: float) -> dict[str, Any]:
        """The direction's, with its s."""
        scale = super().composition(config, rank, alpha)
        s = scale["scale"] / rank**0.5 if config.get("use_rslora") else scale.get("scale", 1.0)
        return {"composition": _COMPOSITION, "scale": float(s), "dropout": 0.0}  # peft's matters in training only
