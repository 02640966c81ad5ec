"""A view of a configuration that records which keys are read, and why others are not.

Everything that resolves a configuration gets this view. A key that was typed but never read is then known to have no
effect (`unused_keys`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import Any, cast

from unidelta.config.schema import RunConfig


@dataclass(frozen=True, slots=True)
class Notes:
    """The keys that were read, dotted; and for some that were not, why, and what to type instead."""

    read: set[str] = field(default_factory=set[str])
    left: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


class _View:
    """Reads like a node of the configuration, and records what is read below it."""

    def __init__(self, node: Any, path: str, notes: Notes) -> None:
        self._node, self._path, self._notes = node, path, notes

    def __getattr__(self, name: str) -> Any:
        value, path = getattr(self._node, name), f"{self._path}{name}"
        if is_dataclass(value):
            return _View(value, f"{path}.", self._notes)
        self._notes.read.add(path)
        return value


def noting(config: RunConfig) -> tuple[RunConfig, Notes]:
    """A view of a configuration, and the notes that reading it fills."""
    notes = Notes()
    return cast(RunConfig, _View(config, "", notes)), notes


def plain(config: RunConfig) -> RunConfig:
    """The configuration behind a view, for checks, whose reading does not count."""
    return config._node if isinstance(config, _View) else config


def leave(config: RunConfig, keys: Sequence[str], why: str, instead: str) -> None:
    """Say why this run ignores keys that another run would read.

    Args:
        config: the view; on a plain configuration this does nothing.
        keys: dotted.
        why: why nothing reads them.
        instead: what to type so that they are read.
    """
    if isinstance(config, _View):
        config._notes.left.update(dict.fromkeys(keys, (why, instead)))
