"""Weights in a local folder."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unidelta.backbones.config_file import WANTED, read_config
from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.tokenizer_files import (
    SAVE_BOTH,
    has_chat_template,
    languages_of,
    missing_tokenizer,
    tokenizer_files,
)
from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import BackboneError
from unidelta.extensions.named_paths import as_path

_INDEX = "model.safetensors.index.json"


def is_local(checkpoint: str) -> bool:
    """Whether a checkpoint is a folder: any existing folder, and anything that cannot be a hub id.

    A hub id is `name` or `owner/name`.
    """
    return Path(checkpoint).exists() or checkpoint.count("/") > 1 or checkpoint.startswith((".", "~", "/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A folder with config.json, safetensors files and a tokenizer.

    Args:
        family: the required architecture.
        typed: the folder, as the user typed it.
    """

    family: str
    typed: str

    @property
    def folder(self) -> Path:
        """The folder."""
        return as_path(self.typed, asked=self._asked)

    @property
    def revision(self) -> None:
        """None: only repositories have revisions."""

    def architecture(self, published: Architecture) -> Architecture:
        """The sizes in config.json, with as many labels as `published` has.

        Raises:
            BackboneError: the folder or a file in it is missing, damaged or of a different architecture.
        """
        return stated_in(self.folder, family=self.family, asked=self._asked, published=published)

    def check(self) -> None:
        """Does nothing: `architecture` already checks what can be checked before loading."""

    def languages(self) -> tuple[str, ...]:
        """The language codes that the tokenizer knows; empty if it knows none."""
        return languages_of(self.folder)

    def world(self) -> None:
        """None: the weights know no world of the miniature."""

    def has_chat_template(self) -> bool | None:
        """Whether the tokenizer has a chat template."""
        return has_chat_template(self.folder)

    def commit(self) -> None:
        """None: the weights come from no repository."""

    def fingerprint(self) -> str:
        """SHA-256 over the safetensors files and the tokenizer's: with another one, a run is another run."""
        return digest_of([*weights_in(self.folder), *tokenizer_files(self.folder)])

    def load(self, how: Loading) -> LoadedBackbone:
        """The model in float32, and its tokenizer; no network.

        Raises:
            BackboneError: weights or tokenizer are missing, damaged or do not fit config.json.
        """
        from unidelta.backbones.pretrained import load_pretrained  # late: torch and transformers
        from unidelta.network.hub import cache_only

        with cache_only():
            return load_pretrained(str(self.folder), how, asked=self._asked)

    @property
    def _asked(self) -> str:
        return f"backbone.checkpoint={self.typed}"


def weights_in(folder: Path) -> list[Path]:
    """The safetensors files of a folder."""
    return sorted(folder.glob("*.safetensors"))


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over the contents of some files."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"


def stated_in(folder: Path, *, family: str, asked: str, published: Architecture) -> Architecture:
    """The architecture in a folder's config.json; raises as `Local.architecture`."""
    if not (folder / "config.json").is_file():
        missing = "it has no config.json" if folder.is_dir() else "there is no such folder"
        raise BackboneError(asked, missing, WANTED)
    lacks = []
    if not any(folder.glob("*.safetensors")):
        lacks.append("it has no safetensors file; other formats can run code when they are read, so they are not")
    if why := missing_tokenizer(folder):
        lacks.append(why)
    if lacks:
        raise BackboneError(asked, "; ".join(lacks), f"the checkpoint saved again: {SAVE_BOTH}")
    if missing := _missing_parts(folder, asked):
        why = f"{_INDEX} names files that are not there: {', '.join(missing)}"
        raise BackboneError(asked, why, "all files of one download")
    config = read_config(folder / "config.json", family=family, asked=asked)
    return architecture_from_config(config, name=folder.resolve().name, n_labels=published.n_labels)


def _missing_parts(folder: Path, asked: str) -> list[str]:
    """The files of weights in parts that their index names and the folder lacks."""
    index = folder / _INDEX
    if (folder / "model.safetensors").is_file() or not index.is_file():
        return []
    try:
        parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackboneError(asked, f"{_INDEX} is no index of weights", "all files of one download") from None
    return sorted(part for part in map(str, parts) if not (folder / part).is_file())
