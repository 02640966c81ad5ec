"""What a run id is the hash of: the resolved settings, with fingerprints of rows and weights in place of paths."""

from typing import Any

from unidelta.backbones import checkpoint
from unidelta.backbones.shipped import checked_weights, miniature
from unidelta.backbones.shipped import fingerprint as fingerprint_of_weights
from unidelta.config.run_spec import RunSpec
from unidelta.tasks import Rows, fingerprint


def identity(spec: RunSpec, rows: dict[str, Rows]) -> dict[str, Any]:
    """The full scientific spec: what was asked, with contents in place of paths."""
    data = {split: fingerprint(part) for split, part in rows.items()}
    return identity_of_contents(spec, data=data, weights=name_of_weights(spec))


def identity_of_contents(spec: RunSpec, *, data: dict[str, str], weights: str) -> dict[str, Any]:
    """The same, of contents that were read before: a sweep reads them once for many runs.

    Args:
        spec: the run.
        data: fingerprints of its rows, by split.
        weights: of `name_of_weights`.
    """
    scientific = {**spec.scientific(), "data": data}
    scientific["backbone"]["checkpoint"] = weights
    return scientific


def name_of_weights(spec: RunSpec) -> str:
    """What the weights of a run's backbone are known by: their SHA-256, or hub id and revision.

    Raises:
        BackboneError: a miniature's weights are missing or altered.
    """
    backbone = spec.backbone
    folder = miniature(backbone.checkpoint, backbone.architecture.family.name)
    if folder is not None:
        return fingerprint_of_weights(checked_weights(folder))
    assert backbone.checkpoint is not None  # where nothing is typed, the miniature is meant
    return checkpoint.fingerprint(backbone.checkpoint, backbone.revision)
