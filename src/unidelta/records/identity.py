"""The name of a run: a hash of all that decides its numbers, so that equal runs have equal names."""

import hashlib
from collections.abc import Mapping
from typing import Any

from unidelta.records.strict_json import canonical

N_HEX_DIGITS = 16  # 64 bits: two of a million runs share a name with probability 3e-8.


def run_id(spec: Mapping[str, Any]) -> str:
    """First 16 hexadecimal digits of SHA-256 over the canonical JSON of the scientific spec.

    Args:
        spec: task, data fingerprint, backbone, design, training, seed and limits; nothing that leaves the
            numbers alone (device, paths, tracking).

    Raises:
        ValueError: a number in the spec is not finite.
        TypeError: something in it is no JSON value.
    """
    return hashlib.sha256(canonical(spec).encode()).hexdigest()[:N_HEX_DIGITS]
