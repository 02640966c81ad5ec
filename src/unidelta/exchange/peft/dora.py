"""DoRA: LoRA's tensors, and the length of each row of W in `lora_magnitude_vector`."""

from collections.abc import Mapping
from typing import Any

from unidelta.exchange.peft.lora import DIRECTION, PeftLora


class PeftDora(PeftLora):
    """`LoraConfig(use_dora=True)`."""

    leaves = (*PeftLora.leaves, ("lora_magnitude_vector", "compose.magnitude"))
    uses_dora = True
    compositions = (DIRECTION,)

    def composition(self, config: Mapping[str, Any], rank: int, alpha: float) -> dict[str, Any]:
        """The direction's, with its s."""
        scale = super().composition(config, rank, alpha)
        s = scale["scale"] / rank**0.5 if config.get("use_rslora") else scale.get("scale", 1.0)
        return {"composition": DIRECTION, "scale": float(s), "dropout": 0.0}  # peft's matters in training only
