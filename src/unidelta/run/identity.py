"""What a run id is the hash of: the resolved settings, with fingerprints of rows and weights in place of paths."""

from typing import Any

from unidelta.config.run_spec import RunSpec
from unidelta.tasks import Rows, fingerprint


def identity(spec: RunSpec, rows: dict[str, Rows]) -> dict[str, Any]:
    """The full scientific spec: what was asked, with contents in place of paths.

    Raises:
        BackboneError: the weights are missing or altered.
    """
    data = {split: fingerprint(part) for split, part in rows.items()}
    return identity_of_contents(spec, data=data, weights=spec.backbone.weights.fingerprint())


def identity_of_contents(spec: RunSpec, *, data: dict[str, str], weights: str) -> dict[str, Any]:
    """The same, of contents that were read before: a sweep reads them once for many runs.

    Args:
        spec: the run.
        data: fingerprints of its rows, by split.
        weights: their fingerprint.
    """
    scientific = spec.scientific()
    scientific["backbone"]["checkpoint"] = weights
    return {**scientific, "data": data}
