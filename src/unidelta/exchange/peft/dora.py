"""DoRA: LoRA's tensors, and the length of each row of W in `lora_magnitude_vector`."""

from collections.abc import Mapping, Sequence
from typing import Any

from unidelta.exchange.peft.lora import DIRECTION, Lora
from unidelta.exchange.peft.maps import PREFIX
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.injection import Injection


class Dora(Lora):
    """`LoraConfig(use_dora=True)`."""

    uses_dora = True
    compositions = (DIRECTION,)

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
        return {"composition": DIRECTION, "scale": float(s), "dropout": 0.0}  # peft's matters in training only
