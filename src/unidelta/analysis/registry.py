"""The artefacts of the paper by name: functions of the runs and the published figures, nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

import pandas as pd

from unidelta.analysis.curve import Figure
from unidelta.analysis.runs import Runs
from unidelta.analysis.table import Table
from unidelta.errors import ConfigError

MakeTable = Callable[[Runs, pd.DataFrame], Table]
MakeFigure = Callable[[Runs, pd.DataFrame], Figure]

_MODULES = ("design_table", "tables", "figures")  # of this package: importing them registers their artefacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """A table or a figure.

    Args:
        name: as typed after `python report.py`.
        sweep: the file in sweeps/ with its runs; None for one without runs.
        make: from the runs of one scale, and the published figures as `published.published` reads them.
        is_figure: whether `make` gives a `Figure`.
    """

    name: str
    sweep: str | None
    make: MakeTable | MakeFigure
    is_figure: bool


_ARTEFACTS: dict[str, Artefact] = {}


def table(name: str, *, sweep: str | None) -> Callable[[MakeTable], MakeTable]:
    """Register a function as the one that makes this table."""

    def register(make: MakeTable) -> MakeTable:
        _ARTEFACTS[name] = Artefact(name=name, sweep=sweep, make=make, is_figure=False)
        return make

    return register


def figure(name: str, *, sweep: str | None) -> Callable[[MakeFigure], MakeFigure]:
    """Register a function as the one that makes this figure."""

    def register(make: MakeFigure) -> MakeFigure:
        _ARTEFACTS[name] = Artefact(name=name, sweep=sweep, make=make, is_figure=True)
        return make

    return register


def artefacts() -> dict[str, Artefact]:
    """All of them, tables before figures, in the paper's order."""
    for module in _MODULES:
        import_module(f"unidelta.analysis.{module}")
    return dict(sorted(_ARTEFACTS.items(), key=lambda item: (item[1].is_figure, _number(item[0]))))


def artefact(name: str) -> Artefact:
    """One of them.

    Raises:
        ConfigError: there is no such artefact.
    """
    known = artefacts()
    if name not in known:
        raise ConfigError(f"report {name}", "there is no such table or figure", f"one of: {', '.join(known)}, or all")
    return known[name]


def _number(name: str) -> int:
    return int("".join(letter for letter in name if letter.isdigit()) or 0)
