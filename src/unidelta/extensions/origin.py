"""The code that registers a thing, for the errors of whoever wrote it."""

import inspect
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
