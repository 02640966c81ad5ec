"""Words to paths: the one place where what somebody typed becomes a path."""

import argparse
from pathlib import Path

from unidelta.errors import ConfigError


def as_path(words: str | Path, *, asked: str) -> Path:
    """The path that somebody named: `~` and `~user` are home folders, anything else is as it stands.

    Args:
        words: as typed.
        asked: the whole word, such as `task.path=`, for the error.

    Raises:
        ConfigError: nothing was named, or there is no such home.
    """
    if not isinstance(words, str | Path):
        raise ConfigError(asked, f"a path is text, or a `Path`; this is an object of {type(words).__name__}", "a path")
    if not str(words).strip():
        why = "no path is named; a variable of the shell that is not set leaves nothing, too"
        raise ConfigError(asked, why, f"{asked.split('=')[0]}=FOLDER" if "=" in asked else f"{asked.split()[0]} FOLDER")
    try:
        return Path(words).expanduser()
    except RuntimeError:
        raise ConfigError(asked, "there is no home folder that `~` could stand for", "the path in full") from None


def path_argument(words: str) -> Path:
    """`as_path` for an argument that argparse reads; argparse tells what is wrong with it."""
    try:
        return as_path(words, asked="PATH")
    except ConfigError as error:
        raise argparse.ArgumentTypeError(error.why) from None
