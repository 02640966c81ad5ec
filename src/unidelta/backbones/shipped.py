"""Pretrained miniatures on disk, shipped or your own: which world they know, and whether they are intact.

No torch. A miniature's folder has a `provenance.json` next to its weights, which other checkpoints do not have.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.local import stated_in
from unidelta.backbones.tokenizer_files import has_chat_template, languages_of
from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.errors import BackboneError, DamagedWeights
from unidelta.extensions.paths import PACKAGE
from unidelta.mini.settings import settings
from unidelta.records.sha256 import sha256_of_file

BACKBONES = PACKAGE / "mini" / "backbones"
PROVENANCE = "provenance.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A miniature: shipped with the package, or made by `python -m unidelta.mini pretrain`.

    Args:
        family: its architecture.
        folder: where it is.
    """

    family: str
    folder: Path

    @property
    def revision(self) -> None:
        """None: only repositories have revisions."""

    def architecture(self, published: Architecture) -> Architecture:
        """The sizes, with as many labels as `published` has.

        Raises:
            DataError: no miniature of this family is shipped.
            BackboneError: its config.json is missing, damaged or of a different architecture.
        """
        if self.folder.parent == BACKBONES:
            config = settings(self.family, n_labels=published.n_labels)
            return architecture_from_config(config, name=f"mini-{self.family}", n_labels=published.n_labels)
        asked = f"backbone.checkpoint={self.folder}"
        return stated_in(self.folder, family=self.family, asked=asked, published=published)

    def check(self) -> None:
        """Refuse weights that are missing or (`DamagedWeights`) altered.

        Raises:
            BackboneError: they are missing or altered.
        """
        checked_weights(self.folder)

    def languages(self) -> tuple[str, ...]:
        """The language codes that the tokenizer knows; empty if it knows none."""
        return languages_of(self.folder)

    def world(self) -> int:
        """The seed of the world that the weights know; raises as `world_of`."""
        return world_of(self.folder)

    def has_chat_template(self) -> bool | None:
        """Whether the tokenizer has a chat template."""
        return has_chat_template(self.folder)

    def commit(self) -> None:
        """None: the weights come from no repository."""

    def fingerprint(self) -> str:
        """SHA-256 of the weight file; raises as `check`."""
        self.check()
        return _provenance(self.folder)["sha256"]  # which the file has

    def load(self, how: Loading) -> LoadedBackbone:
        """The model in float32 and eval mode, and its tokenizer; raises as `check`."""
        from unidelta.backbones.miniature import load_miniature  # late: torch and transformers

        model, tokenizer = load_miniature(self.folder, self.family, how)
        head = FAMILIES[self.family].head
        new = tuple(name for name, _ in model.named_parameters() if head and name.startswith(f"{head}."))
        return LoadedBackbone(model=model, tokenizer=tokenizer, new=new)


def world_of(folder: Path) -> int:
    """The seed of the world that a miniature knows.

    Raises:
        BackboneError: its provenance is missing or cannot be read.
    """
    return _provenance(folder)["world_seed"]


def checked_weights(folder: Path) -> Path:
    """The weight file of a miniature, after comparing its SHA-256 with its provenance.

    Raises:
        BackboneError: a file is missing, or (`DamagedWeights`) altered.
    """
    expected, weights = _provenance(folder)["sha256"], folder / "model.safetensors"
    if not weights.is_file():
        raise BackboneError(f"the miniature {weights}", "there is no such file", _instead(folder))
    found = sha256_of_file(weights)
    if found != expected:
        why = f"the file was altered: its SHA-256 is {found[:12]}…, it was {expected[:12]}…"
        raise DamagedWeights(f"the miniature {weights}", why, _instead(folder))
    return weights


def _provenance(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        return {"sha256": str(content["sha256"]), "world_seed": int(content["world_seed"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"its {PROVENANCE} is missing or cannot be read"
        raise BackboneError(f"the miniature {folder}", why, _instead(folder)) from error


def _instead(folder: Path) -> str:
    if folder.parent == BACKBONES:
        return "a fresh installation of unidelta, or in a clone `git checkout -- src/unidelta/mini/backbones`"
    return f"python -m unidelta.mini pretrain FAMILY --out {folder}"
