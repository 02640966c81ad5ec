"""The keys of the schema: their dotted names and types."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.schema import RunConfig
from unidelta.design.request import SLOTS
from unidelta.errors import first_line

OPTIONAL_NODES = (*(f"method.{key}" for key in SLOTS), "task.generation")
"""What a method or a task may leave out, with all keys below it."""


def keys() -> list[str]:
    """Every key that takes a value, dotted."""
    return list(types())


@cache
def text_keys() -> frozenset[str]:
    """The keys whose value is text, or null."""
    return frozenset(key for key, hint in types().items() if hint is str or set(get_args(hint)) == {str, type(None)})


@cache
def text_list_keys() -> frozenset[str]:
    """The keys whose value is a list of texts, or null."""
    return frozenset(key for key, hint in types().items() if list[str] in (hint, *get_args(hint)))


@cache
def types() -> dict[str, Any]:
    """The type of each key, from the schema."""
    return {key: hint for key, (_, hint) in _found().items()}


def is_node(key: str) -> bool:
    """Whether there are keys below this one."""
    return any(one.startswith(f"{key}.") for one in keys())


def value_of(config: Any, key: str) -> Any:
    """The value of a dotted key in a configuration; None where this run has no such node."""
    for name in filter(None, key.split(".")):
        config = None if config is None else getattr(config, name)
    return config


def leaves(content: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted keys in a file's content, with their values."""
    for key, value in content.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and path not in types():
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


def is_list(key: str) -> bool:
    """Whether a key's value is a list."""
    hint = types().get(key)
    return list in map(get_origin, (hint, *get_args(hint)))


def wrong_type(key: str, value: Any) -> str | None:
    """Why a key cannot have this value; None if it can."""
    try:
        parent, _ = _found()[key]
        is_simple = not isinstance(value, Mapping | list)  # others are merged into what is there
        node = _structured(parent) if is_simple else OmegaConf.structured(parent)
        OmegaConf.update(node, key.rpartition(".")[2], value)
    except OmegaConfBaseException as error:
        if value == "None" and wrong_type(key, None) is None:
            return "null is written null"
        if value in (None, "None"):
            return "it cannot be null"
        why = first_line(error)
        return why[0].lower() + why[1:]
    return None


@cache
def _structured(parent: type) -> DictConfig:
    """The keys of a dataclass with their types, to try values on: what a key is set to leaves its type alone."""
    return OmegaConf.structured(parent)


def default(key: str) -> Any:
    """The value of a key where no file says another; None if it has none."""
    parent, _ = _found()[key]
    return OmegaConf.select(OmegaConf.structured(parent), key.rpartition(".")[2], throw_on_missing=False)


@cache
def _found() -> dict[str, tuple[type, Any]]:
    """The dataclass that each key is a field of, and the key's type."""
    return dict(_flatten(RunConfig, ""))


def _flatten(schema: type, prefix: str) -> Iterator[tuple[str, tuple[type, Any]]]:
    hints = get_type_hints(schema)
    for field in fields(schema):
        hint = hints[field.name]
        nested = next((t for t in (hint, *get_args(hint)) if isinstance(t, type) and is_dataclass(t)), None)
        if nested is None:
            yield prefix + field.name, (schema, hint)
        else:
            yield from _flatten(nested, f"{prefix}{field.name}.")
