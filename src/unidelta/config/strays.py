"""Refuses configuration files that nothing would ever read because of their folder or their name."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from unidelta.config.groups import options
from unidelta.config.schema import GROUPS
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import CHOSEN_BY_NAME, IMPORTED, folders
from unidelta.extensions.paths import CONF

_OF_YAML = (*GROUPS, "sweeps")


def check_strays() -> None:
    """Look through the folders of configuration.

    Raises:
        Problems: every file that nothing reads.
    """
    problems: list[UserError] = [problem for folder in folders() for problem in _strays(folder)]
    if problems:
        raise Problems(problems)


def _strays(folder: Path) -> Iterator[ConfigError]:
    tasks, methods, scales = options("task"), options("method"), options("scale")
    of_tuned = {f"{task}_{method}" for task in tasks for method in methods}
    readable = {
        "tuned": of_tuned | {f"{scale}/{name}" for scale in scales for name in of_tuned},
        "scale_task": {f"{scale}_{task}" for scale in scales for task in tasks},
    }
    called = {"tuned": "[<scale>/]<task>_<method>.yaml", "scale_task": "<scale>_<task>.yaml"}
    if folder != CONF:
        yield from _strays_of_python(folder)
    for file in _files(folder, ".yaml", ".yml"):
        place = file.relative_to(folder)
        group, name = place.parts[0], place.with_suffix("").as_posix().partition("/")[2]
        if (place == Path("config.yaml") and folder == CONF) or group in ("hydra", "sweeps"):
            continue
        near = [] if group in GROUPS else get_close_matches(group.casefold(), _OF_YAML, n=1)
        if file.suffix != ".yaml" and group in GROUPS:
            why, instead = "Hydra reads files that end in .yaml", f"the file renamed {file.stem}.yaml"
        elif folder != CONF and group not in GROUPS and not near:
            continue  # a user's own folder may hold other things
        elif len(place.parts) == 1 or group not in GROUPS:
            among = ", ".join(f"{name}/" for name in near or _OF_YAML)
            why, instead = "files are read from the folders of groups", f"one of {among}"
        elif group in CHOSEN_BY_NAME and name not in readable[group]:
            why = f"files of {group}/ are read as {called[group]}, and no option has that name"
            instead = f"{group}/{sorted(readable[group])[0]}.yaml, for example"
        else:
            continue
        yield ConfigError(f"the file {file}", f"nothing would read it: {why}", instead)


def _strays_of_python(folder: Path) -> Iterator[ConfigError]:
    """Python files in a folder whose name, or with an ending that, is nearly one that is imported."""
    for file in _files(folder, ".py"):
        group = file.relative_to(folder).parts[0]
        near = [] if group in IMPORTED else get_close_matches(group.casefold(), IMPORTED, n=1)
        if group in IMPORTED and file.suffix != ".py":
            why = "nothing would read it: Python is imported from files that end in .py"
            yield ConfigError(f"the file {file}", why, f"the file renamed {file.stem}.py")
        elif near:
            why = f"nothing would read it: Python is imported from {', '.join(f'{name}/' for name in IMPORTED)}"
            yield ConfigError(f"the file {file}", why, f"{near[0]}/")


def _files(folder: Path, *endings: str) -> list[Path]:
    """The files at any depth that end so, in capitals or not."""
    return sorted(file for file in folder.rglob("*.*") if file.suffix.casefold() in endings)
