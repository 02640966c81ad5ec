"""Refuses configuration files that nothing would ever read because of their folder or their name."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from unidelta.config.groups import options
from unidelta.config.schema import GROUPS
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import CHOSEN_BY_NAME, folders
from unidelta.extensions.paths import CONF


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
    for file in sorted((*folder.rglob("*.yaml"), *folder.rglob("*.yml"))):
        place = file.relative_to(folder)
        group, name = place.parts[0], place.with_suffix("").as_posix().partition("/")[2]
        if (place == Path("config.yaml") and folder == CONF) or group in ("hydra", "sweeps"):
            continue
        if file.suffix == ".yml" and group in GROUPS:
            why, instead = "Hydra reads files that end in .yaml", f"the file renamed {file.stem}.yaml"
        elif folder != CONF and group not in GROUPS and not get_close_matches(group, GROUPS):
            continue  # a user's own folder may hold other things
        elif len(place.parts) == 1 or group not in GROUPS:
            why, instead = "files are read from the folders of groups", f"one of {', '.join(f'{g}/' for g in GROUPS)}"
        elif group in CHOSEN_BY_NAME and name not in readable[group]:
            why = f"files of {group}/ are read as {called[group]}, and there is no such choice"
            instead = f"{group}/{sorted(readable[group])[0]}.yaml, for example"
        else:
            continue
        yield ConfigError(f"the file {file}", f"nothing would read it: {why}", instead)
