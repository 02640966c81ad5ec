"""A checkpoint's config.json, read without transformers and compared with the requested family."""

import json
from pathlib import Path
from typing import Any

from unidelta.design.family import FAMILIES
from unidelta.design.no_place import without_a_place
from unidelta.design.published import backbones_of
from unidelta.errors import BackboneError

WANTED = 'backbone.checkpoint="DIR", a folder with config.json, model.safetensors and the tokenizer, or a hub id'


def read_config(path: Path, *, family: str, asked: str) -> dict[str, Any]:
    """The content of a config.json.

    Args:
        path: the file.
        family: the required architecture.
        asked: the checkpoint as the user typed it.

    Raises:
        BackboneError: it cannot be read, or has a different architecture.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackboneError(asked, f"its config.json cannot be read: {error}", WANTED) from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != family:
        names = backbones_of(str(kind))
        instead = f"backbone={names[0]} {asked}" if names else f"one of {', '.join(FAMILIES)}"
        obstacles = [] if kind in FAMILIES or not isinstance(config, dict) else without_a_place(config)
        why = "; ".join([f"the checkpoint is of architecture `{kind}`, not {family}", *obstacles])
        raise BackboneError(f"backbone={family} {asked}", why, instead)
    return config
