"""Where a user's code registers a thing, and where it fails: for the errors that its author reads."""

import inspect
import traceback
from pathlib import Path
from typing import NamedTuple


class Origin(NamedTuple):
    """A module by its dotted name, and its file."""

    module: str
    file: str

    def is_below(self, folder: Path) -> bool:
        """Whether the file is in a folder, at any depth."""
        return Path(self.file).is_relative_to(folder)


def origin() -> Origin:
    """Who is registering something: a module's top level, or the nearest function outside this package."""
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals["__name__"]
        if frame.f_code.co_name == "<module>" or module.partition(".")[0] != "unidelta":
            return Origin(module, frame.f_code.co_filename)
        frame = frame.f_back
    raise AssertionError("every call begins outside this package")


def raised_at(error: BaseException, file: str) -> str:
    """`FILE:LINE: KeyError: 'x'`: an error of a user's code, at the last line in that file's folder that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(file).parent)]
    said = f"{type(error).__name__}: {error}"
    return f"{theirs[-1].filename}:{theirs[-1].lineno}: {said}" if theirs else said
