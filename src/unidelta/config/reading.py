"""A configuration that notes which of its keys are read, and why others are left.

What a run does not read is known from its resolution itself: everything that resolves a configuration is given this
view of it. A key that was typed and is not among those noted was read by nothing (`unused_keys`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import Any, cast

from unidelta.config.schema import RunConfig


@dataclass(frozen=True, slots=True)
class Notes:
    """What was noted: the keys that were read, dotted; and of some that were left, why, and what to type instead."""

    read: set[str] = field(default_factory=set[str])
    left: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


class _View:
    """A node of a configuration, the same to read, which notes what is read below it."""

    def __init__(self, node: Any, path: str, notes: Notes) -> None:
        self._node, self._path, self._notes = node, path, notes

    def __getattr__(self, name: str) -> Any:
        value, path = getattr(self._node, name), f"{self._path}{name}"
        if is_dataclass(value):
            return _View(value, f"{path}.", self._notes)
        self._notes.read.add(path)
        return value


def noting(config: RunConfig) -> tuple[RunConfig, Notes]:
    """A view of a configuration, and the notes that it takes."""
    notes = Notes()
    return cast(RunConfig, _View(config, "", notes)), notes


def plain(config: RunConfig) -> RunConfig:
    """The configuration behind a view: what only checks values reads nothing for the run."""
    return config._node if isinstance(config, _View) else config


def leave(config: RunConfig, keys: Sequence[str], why: str, instead: str) -> None:
    """Say why a run leaves keys that another would read.

    Args:
        config: the view; a plain configuration takes no notes.
        keys: dotted.
        why: why nothing reads them.
        instead: what to type so that they are read.
    """
    if isinstance(config, _View):
        config._notes.left.update(dict.fromkeys(keys, (why, instead)))
