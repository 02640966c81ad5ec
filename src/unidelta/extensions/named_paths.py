"""Paths from what was typed: the only place where a word becomes a path."""

import argparse
import os
from pathlib import Path

from unidelta.errors import ConfigError


def as_path(words: str | Path, *, asked: str, instead: str | None = None) -> Path:
    """The path that somebody named: `~` and `~user` are home folders, anything else is as it stands.

    Args:
        words: as typed.
        asked: the whole word, such as `task.path=`, for the error.
        instead: what to type in its place; None for that word with a folder.

    Raises:
        ConfigError: nothing was named, or there is no such home.
    """
    instead = instead or (f"{asked.split('=')[0]}=FOLDER" if "=" in asked else f"{asked.split()[0]} FOLDER")
    if not isinstance(words, str | Path):
        why = f"a path is text, or a `Path`; this is an object of {type(words).__name__}"
        raise ConfigError(asked, why, instead)
    if not str(words).strip():
        why = "no path is named; an unset variable of the shell is empty, too"
        raise ConfigError(asked, why, instead)
    try:
        return Path(words).expanduser()
    except RuntimeError:
        raise ConfigError(asked, "there is no home folder that `~` could stand for", "the path in full") from None


def real_path(path: Path) -> Path:
    """The absolute path that links lead to; unlike `Path.resolve`, as it stands where they go in a circle."""
    return Path(os.path.realpath(path))


def python_path(words: str | Path, call: str) -> Path:
    """`as_path` for an argument of a function.

    Args:
        words: the argument.
        call: the function with its arguments, the path as DIR: `unidelta.load(DIR, model)`.

    Raises:
        ConfigError: as `as_path`.
    """
    given = repr(words) if isinstance(words, str | Path) else f"<{type(words).__name__}>"
    return as_path(words, asked=call.replace("DIR", given), instead=call.replace("DIR", '"DIR"'))


def path_argument(words: str) -> Path:
    """`as_path` for an argument that argparse reads; argparse prints what is wrong with it."""
    try:
        return as_path(words, asked="PATH")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.why) from None
