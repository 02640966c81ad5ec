"""Pretrained miniatures on disk, the shipped ones and others: which world they know, and whether they are whole.

No torch. A miniature's folder has a `provenance.json` beside its weights, which tells it from other checkpoints.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from unidelta.errors import BackboneError, DamagedWeights
from unidelta.extensions.paths import PACKAGE

BACKBONES = PACKAGE / "mini" / "backbones"
_PROVENANCE = "provenance.json"


def miniature(checkpoint: str | None, family: str) -> Path | None:
    """The folder of a miniature, shipped (None) or made by `python -m unidelta.mini pretrain`; None for all else.

    Args:
        checkpoint: as typed.
        family: of the backbone.
    """
    if checkpoint is None:
        return BACKBONES / family
    folder = Path(checkpoint)
    return folder if (folder / _PROVENANCE).is_file() else None


def world_of(folder: Path) -> int:
    """The seed of the world that a miniature knows.

    Raises:
        BackboneError: its provenance is missing or cannot be read.
    """
    return _provenance(folder)["world_seed"]


def checked_weights(folder: Path) -> Path:
    """The weight file of a miniature, whose SHA-256 is what the provenance beside it says.

    Raises:
        BackboneError: a file is missing, or (`DamagedWeights`) altered.
    """
    expected, weights = _provenance(folder)["sha256"], folder / "model.safetensors"
    if not weights.is_file():
        raise BackboneError(f"the miniature {weights}", "there is no such file", _instead(folder))
    found = fingerprint(weights)
    if found != expected:
        why = f"the file was altered: its SHA-256 is {found[:12]}…, it was {expected[:12]}…"
        raise DamagedWeights(f"the miniature {weights}", why, _instead(folder))
    return weights


def fingerprint(weights: Path) -> str:
    """The SHA-256 of a weight file: what a record names the backbone by."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def _provenance(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _PROVENANCE).read_text(encoding="utf-8"))
        return {"sha256": str(content["sha256"]), "world_seed": int(content["world_seed"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"its {_PROVENANCE} is missing or cannot be read"
        raise BackboneError(f"the miniature {folder}", why, _instead(folder)) from error


def _instead(folder: Path) -> str:
    if folder.parent == BACKBONES:
        return "a fresh installation of unidelta, or in a clone `git checkout -- src/unidelta/mini/backbones`"
    return f"python -m unidelta.mini pretrain FAMILY --out {folder}"
