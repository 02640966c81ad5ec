"""The backbone that somebody names at the command line, loaded: a folder, a hub id, or a shipped miniature."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.shipped import BACKBONES
from unidelta.backbones.weights import weights_of
from unidelta.design.config_facts import architecture_from_config, known_family
from unidelta.errors import BackboneError, first_line
from unidelta.extensions.named_paths import as_path

_SEED = 42  # of a classification head that no checkpoint has; the deltas bring their own


def load_backbone(
    typed: str | None, *, family: str | None = None, labels: Sequence[str] = (), revision: str | None = None
) -> LoadedBackbone:
    """A backbone in float32.

    Args:
        typed: a folder with a config.json, a hub id, or the name of a shipped miniature's family; None for the shipped
            miniature of `family`.
        family: the required architecture; None takes what the checkpoint is.
        labels: names of the classes of its classification head; empty for the checkpoint's own.
        revision: of a hub id.

    Raises:
        BackboneError: there is none, or it is of another architecture.
    """
    shipped = family if typed is None else typed
    if shipped is not None and (BACKBONES / shipped).is_dir() and not Path(shipped).exists():
        typed = str(BACKBONES / shipped)
    if typed is None:
        instead = "--backbone with the checkpoint that the deltas were trained in, a folder or a hub id"
        raise BackboneError(f"the backbone of deltas for {family}", "no miniature of it is shipped", instead)
    config = _config(typed, revision)
    known = known_family(config.get("model_type"), config)
    if family is not None and known.name != family:
        why = f"it is a {known.name}, the deltas were trained in a {family}"
        raise BackboneError(f"--backbone {typed}", why, f"--backbone with a {family}")
    n_labels = len(labels) if known.head is not None else 0
    if known.kind == "encoder" and not labels:  # which has a head whatever it is for
        n_labels = len(config.get("id2label") or {}) or 2
    weights = weights_of(typed, family=known.name, revision=revision, published=None)
    weights.architecture(architecture_from_config(config, name=typed, n_labels=n_labels))
    return weights.load(Loading(seed=_SEED, n_labels=n_labels, labels=tuple(labels)))


def _config(typed: str, revision: str | None) -> dict[str, Any]:
    path = as_path(typed, asked=f"--backbone {typed}") / "config.json"
    try:
        if not path.is_file():
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(typed, "config.json", revision=revision))
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = first_line(error)
        instead = f"a folder with config.json, a hub id, or one of {', '.join(p.name for p in BACKBONES.iterdir())}"
        raise BackboneError(f"--backbone {typed}", why, instead) from None
    if not isinstance(found, dict):
        raise BackboneError(f"--backbone {typed}", "its config.json is not a JSON object", "a whole checkpoint")
    return found
