"""The paper's tables and figures by name: functions of the runs and the published numbers only."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import pandas as pd

from unidelta.analysis.curve import Figure
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import Table
from unidelta.errors import ConfigError, UserError
from unidelta.extensions.folders import import_added
from unidelta.extensions.origin import file_of, raised_at
from unidelta.extensions.paths import PACKAGE

Make = Callable[[Runs, pd.DataFrame], Table | Figure]
"""A function of the runs of one scale, and the published numbers as read by `published.published`."""

_MODULES = ("design_table", "tables", "figures")  # of this package: importing them registers their artefacts
_ARTEFACTS: dict[str, Make] = {}


def register(name: str) -> Callable[[Make], Make]:
    """Register a function as the table or figure of this name, to be typed after `python report.py`.

    Raises:
        ConfigError: the name is taken.
    """

    def add(make: Make) -> Make:
        if name in _ARTEFACTS:
            raise ConfigError(f"register the table or figure `{name}`", "there is one already", "another name")
        _ARTEFACTS[name] = make
        return make

    return add


def artefacts() -> dict[str, Make]:
    """All of them, tables before figures, in the paper's order."""
    for module in _MODULES:
        import_module(f"unidelta.analysis.{module}")
    import_added("analysis")
    return dict(sorted(_ARTEFACTS.items(), key=lambda item: (item[0].startswith("fig"), _number(item[0]))))


def artefact(name: str, *, others: Sequence[str] = ()) -> Make:
    """One of them.

    Args:
        name: its name.
        others: what can be typed as well, for the error.

    Raises:
        ConfigError: there is no such artefact.
    """
    known = artefacts()
    if name not in known:
        names = [*known, "all", *others]
        near = "".join(f"{one}; or " for one in get_close_matches(name.casefold(), names, n=1))
        raise ConfigError(f"report {name}", f"there is no `{name}` to report", f"{near}one of: {', '.join(names)}")
    return known[name]


def made_by(name: str, make: Make, runs: Runs, figures: pd.DataFrame) -> Table | Figure:
    """What the function of a table or figure returns.

    Raises:
        ConfigError: a user's function raises, or returns something else.
    """
    file = file_of(make)
    try:
        returned = make(runs, figures)
    except Exception as error:
        if Path(file).is_relative_to(PACKAGE) or isinstance(error, UserError):
            raise
        why, instead = raised_at(error, [file]), f"the function `{make.__name__}` fixed"
        raise ConfigError(f"report {name}, of {file}", why, instead) from error
    if not isinstance(returned, Table | Figure):
        why = f"its function `{make.__name__}` returns {type(returned).__name__}, and not a Table or Figure"
        raise ConfigError(f"report {name}, of {file}", why, "return Table(…), or return Figure(…)")
    return returned


def _number(name: str) -> int:
    return int("".join(letter for letter in name if letter.isdigit()) or 0)
