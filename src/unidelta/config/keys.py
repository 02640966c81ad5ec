"""The keys of the schema: their dotted names and types."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from unidelta.config.schema import RunConfig


def keys() -> list[str]:
    """Every key that takes a value, dotted."""
    return list(types())


@cache
def text_keys() -> frozenset[str]:
    """The keys whose value is text, or null."""
    return frozenset(key for key, hint in types().items() if hint is str or set(get_args(hint)) == {str, type(None)})


@cache
def types() -> dict[str, Any]:
    """The type of each key, from the schema."""
    return dict(_flatten(RunConfig, ""))


def _flatten(schema: type, prefix: str) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(schema)
    for field in fields(schema):
        hint = hints[field.name]
        nested = next((t for t in (hint, *get_args(hint)) if isinstance(t, type) and is_dataclass(t)), None)
        if nested is None:
            yield prefix + field.name, hint
        else:
            yield from _flatten(nested, f"{prefix}{field.name}.")
