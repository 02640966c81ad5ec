"""Whether a run can have its frozen weights quantised: what there is to say without loading anything."""

import importlib.util
from collections.abc import Iterator

from unidelta.backbones.shipped import Shipped
from unidelta.config.resolve_weights import resolve_weights
from unidelta.config.schema import RunConfig
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.spec import Design, FullFineTuning, parts_of
from unidelta.errors import ConfigError, UserError


def check_quantised(config: RunConfig, design: Design) -> Iterator[UserError]:
    """Everything that speaks against `backbone.quantised`, if it is asked for."""
    asked, without = f"backbone.quantised={config.backbone.quantised}", "leave backbone.quantised out"
    if config.backbone.quantised == "none":
        return
    if importlib.util.find_spec("bitsandbytes") is None:
        why = "bitsandbytes, which quantises the weights, is not installed"
        yield ConfigError(asked, why, f"pip install 'unidelta[quantised]', or {without}")
    if isinstance(resolve_weights(config), Shipped):
        why = "the miniature's backbones are a few megabytes"
        yield ConfigError(asked, why, f"{without}, or backbone.checkpoint=DIR, or scale=paper")
    if isinstance(design, FullFineTuning):
        why = f"{config.method.name} trains the weights themselves, and quantised ones have no gradient"
        yield ConfigError(f"{asked} with method={config.method.name}", why, f"method=lora, or {without}")
    if any(COMPOSITIONS[part.composition].on_weights for part in parts_of(design)):
        why = f"{config.method.name} needs weights that are not quantised"
        yield ConfigError(f"{asked} with method={config.method.name}", why, f"method=lora, or {without}")
