"""Extensions from outside this repository: users' folders, and packages that declare entry points.

A folder is laid out like the project: YAML in `method/`, `backbone/`, `task/` and the other groups of `conf/`;
Python in `forms/`, `generators/`, `compositions/`, `families/`, `metrics/` and `analysis/`, each file registering what
it defines; sweeps in `sweeps/`. `--config-dir DIR` and `unidelta.register(DIR)` add one. A package declares modules in
the entry-point groups `unidelta.forms`, `unidelta.generators`, `unidelta.compositions`, `unidelta.families` and
`unidelta.tasks.metrics`, and a folder of YAML in `unidelta.conf`.
"""

import hashlib
import importlib.util
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from unidelta.errors import ConfigError, UserError
from unidelta.extensions.named_paths import as_path, real_path
from unidelta.extensions.paths import CONF
from unidelta.extensions.registry import forget, registered_in

PROVIDER = "unidelta"
"""Hydra's name for the source of these folders' YAML."""
CHOSEN_BY_NAME = ("tuned", "scale_task")
"""Groups that nobody types: config.yaml picks their file from the choices of other groups."""
_REGISTERS = {
    "forms": "@register_form above its class",
    "generators": "@register_generator above its class",
    "compositions": "@register_composition above its class",
    "families": "FAMILIES.register(Family(…))",
    "metrics": "METRICS.register(Metric(…))",
}
"""How a file of each folder registers what it defines."""
_PYTHON = tuple(_REGISTERS)
IMPORTED = (*_PYTHON, "analysis")
"""The folders whose Python is imported."""
_folders: list[Path] = []


def add_folder(folder: str | Path, *, asked: str | None = None) -> Path:
    """Add a user's folder: its Python is imported now, its YAML is found from now on.

    Args:
        folder: the folder.
        asked: how it was asked for; None is `--config-dir`.

    Returns:
        The folder, absolute. Adding it again changes nothing.

    Raises:
        ConfigError: there is no such folder, a Python file cannot be imported or registers nothing, or a name is taken
            already.
    """
    asked = f"--config-dir {folder}" if asked is None else asked
    path = real_path(as_path(folder, asked=asked))
    if not path.is_dir():
        raise ConfigError(asked, "there is no such folder", "a folder with method/NAME.yaml, forms/NAME.py and so on")
    if path in _folders or path == CONF:
        return path
    _check_depth(folder, path, asked)
    for file in sorted(path.rglob("*.yaml")):
        place = file.relative_to(path)
        group, _, name = place.with_suffix("").as_posix().partition("/")
        taken = config_file(group, name) if name else None
        if taken is not None:
            instead = f"another name for {place}"
            if group in CHOSEN_BY_NAME:  # their names say what they are for
                instead = f"experiment/NAME.yaml with the values of {place}, and experiment=NAME"
            raise ConfigError(asked, f"{group}={name} is there already: {taken}", instead)
    _folders.append(path)
    try:
        for kind in _PYTHON:
            _import_all(path, kind, asked)
            _check_registered(path, kind, asked)
    except BaseException:
        remove_folder(path)
        raise
    return path


def _check_depth(folder: str | Path, path: Path, asked: str) -> None:
    """Refuse the folder of a group, such as `my/method`, in place of the one that it is in."""
    of_yaml = {"sweeps", *(one.name for conf in (CONF, *_declared()) for one in conf.iterdir() if one.is_dir())}
    files = [*path.glob("*.py" if path.name in IMPORTED else "*.yaml")]
    if (
        not files
        or path.name not in (*of_yaml, *IMPORTED)
        or any((path / one).is_dir() for one in (*of_yaml, *IMPORTED))
    ):
        return
    above = Path(folder).parent if Path(folder).name == path.name else path.parent
    why = f"files are read from folders within it, and {min(files).name} is not in one: {path.name}/ is such a folder"
    raise ConfigError(asked, why, asked.replace(str(folder), str(above)))


def remove_folder(path: Path) -> None:
    """Take back what `add_folder` did, so that the folder can be added again once it is put right."""
    _folders.remove(path)
    forget(path)
    for name in [name for name in sys.modules if name.startswith(_prefix(path))]:
        del sys.modules[name]


def import_added(kind: str) -> None:
    """Import one kind of Python from the added folders that few commands need, such as `analysis`.

    Raises:
        ConfigError: a file cannot be imported.
    """
    for folder in _folders:
        _import_all(folder, kind, f"--config-dir {folder}")


def folders() -> list[Path]:
    """The folders of YAML: the project's own first."""
    return [CONF, *_declared(), *_folders]


def added_folders() -> list[Path]:
    """The added folders, in order."""
    return list(_folders)


def config_file(group: str, name: str) -> Path | None:
    """The YAML of an option of a group, None if there is none."""
    return next((path for folder in folders() if (path := folder / group / f"{name}.yaml").is_file()), None)


def config_names(group: str) -> list[str]:
    """The options of a group, e.g. the methods, in alphabetical order."""
    found = (path.relative_to(folder / group) for folder in folders() for path in (folder / group).rglob("*.yaml"))
    return sorted({path.with_suffix("").as_posix() for path in found})


@cache
def _declared() -> tuple[Path, ...]:
    """Folders of YAML that installed packages declare."""
    found: list[Path] = []
    for entry in entry_points(group="unidelta.conf"):
        try:
            folder = Path(str(entry.load()))
        except Exception as error:
            where, why = f"the entry point {entry.name} = {entry.value}", f"{type(error).__name__}: {error}"
            raise ConfigError(where, why, "the package that declares it fixed or uninstalled") from error
        if not folder.is_dir():
            where = f"the entry point {entry.name} = {entry.value}"
            raise ConfigError(where, f"{folder} is not a folder", "the path of a folder of YAML")
        found.append(folder)
    return tuple(found)


def _import_all(folder: Path, kind: str, asked: str) -> None:
    for file in sorted((folder / kind).glob("*.py")):
        name = f"{_prefix(folder)}{kind}_{file.stem}"
        if name not in sys.modules:
            _import(file, name, asked)


def _check_registered(folder: Path, kind: str, asked: str) -> None:
    """Refuse a file that registers nothing: its name would be unknown, and nobody would know why."""
    for file in sorted((folder / kind).glob("[!_]*.py")):
        if not registered_in(file):
            why = f"{file} was read, and registers nothing"
            raise ConfigError(asked, why, f"{_REGISTERS[kind]}, or a name that begins with _")


def _prefix(folder: Path) -> str:
    """How the names of a folder's modules begin: two folders may have files of one name."""
    return f"unidelta_extension_{hashlib.sha256(bytes(folder)).hexdigest()[:12]}_"


def _import(file: Path, name: str, asked: str) -> None:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None  # a .py file has both
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, UserError):
            raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        where = f"{file}:{lines[-1]}" if lines else str(file)  # what is not Python has no line that ran
        why = f"{where} cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError(asked, why, "the file fixed, or the folder without it") from error
