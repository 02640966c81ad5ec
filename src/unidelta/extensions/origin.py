"""Where a user's code registers a thing, and where it fails: for the errors that its author reads."""

import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Origin(NamedTuple):
    """A module by its dotted name, and its file."""

    module: str
    file: str


def origin() -> Origin:
    """Who is registering something: a module's top level, or the nearest function outside this package."""
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals["__name__"]
        if frame.f_code.co_name == "<module>" or module.partition(".")[0] != "unidelta":
            return Origin(module, frame.f_code.co_filename)
        frame = frame.f_back
    raise AssertionError("every call begins outside this package")


def file_of(kind: type | Callable[..., object]) -> str:
    """The file that defines a class or a function; its module's name where there is none, as in a notebook."""
    return str(vars(sys.modules[kind.__module__]).get("__file__", kind.__module__))


def raised_at(error: BaseException, files: Sequence[str]) -> str:
    """`FILE:LINE: KeyError: 'x'`: an error of a user's code, at the last line in the folder of one that it passed."""
    folders = [Path(file).parent for file in files]
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if any(map(Path(frame.filename).is_relative_to, folders))]
    said = f"{type(error).__name__}: {error}"
    return f"{theirs[-1].filename}:{theirs[-1].lineno}: {said}" if theirs else said
