"""Checkpoints before anything heavy is imported: what a folder is, its config.json, the name of its weights."""

import hashlib
import json
from pathlib import Path
from typing import Any

from unidelta.design.family import FAMILIES
from unidelta.errors import BackboneError
from unidelta.extensions.named_paths import is_local

_WANTED = 'backbone.checkpoint="DIR", a folder with config.json, model.safetensors and the tokenizer, or a hub id'


def read_config(checkpoint: str, *, family: str, revision: str | None) -> dict[str, Any]:
    """The config.json of a checkpoint.

    Args:
        checkpoint: a folder or a hub id.
        family: the architecture it has to have.
        revision: of a hub id.

    Raises:
        BackboneError: if folder or file are missing, unreachable, damaged or of another architecture, or a
            folder has no safetensors file.
    """
    asked = f"backbone.checkpoint={checkpoint}"
    path = _local_config(checkpoint, asked) if is_local(checkpoint) else _hub_config(checkpoint, asked, revision)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackboneError(asked, f"its config.json cannot be read: {error}", _WANTED) from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != family:
        instead = f"backbone={kind} {asked}" if kind in FAMILIES else f"one of {', '.join(FAMILIES)}"
        raise BackboneError(
            f"backbone={family} {asked}", f"the checkpoint is of architecture `{kind}`, not {family}", instead
        )
    return config


def _local_config(checkpoint: str, asked: str) -> Path:
    folder = Path(checkpoint)
    if not (folder / "config.json").is_file():
        missing = "it has no config.json" if folder.is_dir() else "there is no such folder"
        raise BackboneError(asked, missing, _WANTED)
    if not any(folder.glob("*.safetensors")):
        raise BackboneError(
            asked,
            "it has no safetensors file; other formats can run code when they are read, so they are not",
            "the checkpoint saved again with model.save_pretrained(DIR)",
        )
    return folder / "config.json"


def _hub_config(checkpoint: str, asked: str, revision: str | None) -> Path:
    check_hub(checkpoint, revision)
    from huggingface_hub import hf_hub_download  # late: local checkpoints do without

    try:
        return Path(hf_hub_download(checkpoint, "config.json", revision=revision))
    except (OSError, ValueError) as error:  # what the hub's client raises for unknown names and lost connections
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BackboneError(asked, first, _WANTED) from None


def check_hub(checkpoint: str, revision: str | None) -> None:
    """Refuse a hub id that can be had neither from the hub nor from the cache of this machine.

    Raises:
        BackboneError: if so, within seconds.
    """
    from huggingface_hub import try_to_load_from_cache  # late: local checkpoints do without

    from unidelta.network.hub import why_unreachable

    if isinstance(try_to_load_from_cache(checkpoint, "config.json", revision=revision), str):
        return
    unreachable = why_unreachable()
    if unreachable:
        raise BackboneError(
            f"backbone.checkpoint={checkpoint}" + (f" backbone.hub_revision={revision}" if revision else ""),
            f"{unreachable}, and the checkpoint is not in the cache of this machine",
            "backbone.checkpoint=DIR with a local folder, or scale=mini",
        )


def cached_commit(checkpoint: str, revision: str | None) -> str | None:
    """The commit of a hub id's files in the cache of this machine; None if there are none."""
    from huggingface_hub import try_to_load_from_cache  # late: local checkpoints do without

    found = try_to_load_from_cache(checkpoint, "config.json", revision=revision)
    return Path(found).parent.name if isinstance(found, str) else None


def fingerprint(checkpoint: str, revision: str | None) -> str:
    """What names a checkpoint's weights: SHA-256 of a folder's safetensors files, or hub id and revision."""
    if not is_local(checkpoint):
        return f"{checkpoint}@{revision or 'main'}"
    digest = hashlib.sha256()
    for path in sorted(Path(checkpoint).glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
