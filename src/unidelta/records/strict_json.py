"""JSON without its usual leniencies: no NaN, no repeated keys, one canonical form to hash."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Any) -> str:
    """The canonical form of `value`, equal for equal values: sorted keys, no spaces, ASCII.

    A float and an integer are different (`1.0`, `1`), so callers use one type per field.

    Raises:
        ValueError: a number is not finite.
        TypeError: something cannot be JSON.
    """
    return _CANONICAL.encode(value)


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of the canonical form of all of `content` but its `sha256`, which is to be this."""
    unsigned = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(canonical(unsigned).encode()).hexdigest()


def parse(text: str) -> Any:
    """The value of a strict JSON text.

    Raises:
        ValueError: the text is not JSON, repeats a key, or holds NaN or an infinity.
    """
    try:
        return json.loads(text, **STRICT)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def without_non_finite(value: Any, path: str = "") -> tuple[Any, dict[str, str]]:
    """`value` with null for every number that is not finite, and these numbers by dotted path."""
    if isinstance(value, float) and not math.isfinite(value):
        return None, {path: str(value)}
    if isinstance(value, Mapping):
        items = {key: without_non_finite(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
    elif isinstance(value, (list, tuple)):
        items = {i: without_non_finite(item, f"{path}.{i}".lstrip(".")) for i, item in enumerate(value)}
    else:
        return value, {}
    found = {place: was for _, inner in items.values() for place, was in inner.items()}
    clean = {key: item for key, (item, _) in items.items()}
    return (clean if isinstance(value, Mapping) else list(clean.values())), found


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {repeated!r} is there twice")
    return result


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    """1e999 is JSON, but reads as infinity."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


STRICT: dict[str, Any] = {"object_pairs_hook": _unique_keys, "parse_constant": _refuse, "parse_float": _finite}
"""What `json.loads` is given to refuse repeated keys, NaN, and infinities however they are written."""
