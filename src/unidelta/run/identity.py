"""What a run id is the hash of: the resolved settings, with fingerprints of rows and weights in place of paths."""

from typing import Any

from unidelta.config.run_spec import RunSpec


def identity(spec: RunSpec, *, data: dict[str, str], weights: str) -> dict[str, Any]:
    """The full scientific spec: what was asked, with contents in place of paths.

    Args:
        spec: the run.
        data: fingerprints of its rows, by split.
        weights: their fingerprint.
    """
    scientific = spec.scientific()
    scientific["backbone"]["checkpoint"] = weights
    return {**scientific, "data": data}
