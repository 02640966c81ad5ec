"""By what settings differ, and nothing else."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from unidelta.analysis.explore.setting import Setting

_COLUMNS = ("backbone", "source", "position", "bottlenecks", "s", "prefix_init")
"""Of the runs: they say in a word what the paths of a design say in several."""
_OF_METHOD = ("design", "published_bottlenecks", "method", "backbone", "task", "data", "limits")
"""What follows from method, task and backbone: shown only where settings look alike without it."""


def differing(settings: Sequence[Setting]) -> list[str]:
    """Columns and dotted paths that tell settings of one scale, task and metric apart, beside the method.

    What anybody may vary (the backbone, `training.learning_rate`) is there if it differs between any two settings of a
    task. The parts of a design are there as far as two settings of one method look alike without them.
    """
    found: dict[str, None] = {}
    groups = [list(mine) for _, mine in groupby(sorted(settings, key=lambda one: one.group), key=lambda one: one.group)]
    for mine in groups:
        found |= dict.fromkeys(path for path in _varied(mine) if path.split(".")[0] not in _OF_METHOD)
    if any(_differ(mine, "backbone") for mine in groups):
        found["backbone"] = None
    for column in _COLUMNS:
        if any(_differ(alike, column) for mine in groups for alike in _alike(mine, found)):
            found[column] = None
    for mine in groups:
        for alike in _alike(mine, found):
            found |= dict.fromkeys(_varying(alike) if len(alike) > 1 else ())
    return [*(name for name in _COLUMNS if name in found), *(name for name in found if name not in _COLUMNS)]


def _varied(settings: Sequence[Setting]) -> list[str]:
    """The paths with several values; that some settings lack one (what trains nothing has no rate) is no variation."""
    first: dict[str, object] = {}
    found: dict[str, None] = {}
    for one in settings:
        for path, value in one.values.items():
            if first.setdefault(path, value) != value:
                found[path] = None
    return list(found)


def _varying(settings: Sequence[Setting]) -> list[str]:
    """The paths whose values differ, in the order of the first setting; a path that some have not differs."""
    paths = dict.fromkeys(path for one in settings for path in one.values)
    first = settings[0].values
    return [path for path in paths if any(one.values.get(path) != first.get(path) for one in settings)]


def _differ(settings: Sequence[Setting], name: str) -> bool:
    return len({str(one.value(name)) for one in settings}) > 1


def _alike(settings: Sequence[Setting], names: Iterable[str]) -> list[list[Setting]]:
    """The settings in groups that method and names do not tell apart."""
    found: dict[tuple[str, ...], list[Setting]] = {}
    shown = ["method", *names]
    for one in settings:
        found.setdefault(tuple(str(one.value(name)) for name in shown), []).append(one)
    return list(found.values())
