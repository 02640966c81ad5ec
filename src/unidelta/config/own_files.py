"""Mistakes in the YAML of a user's own folder, found before anything is composed, all of them at once."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from unidelta.config.groups import options
from unidelta.config.keys import OPTIONAL_NODES, is_list, is_node, keys, wrong_type
from unidelta.config.references import unknown_in_file
from unidelta.config.schema import GROUPS
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.fault_of_yaml import fault_of_yaml
from unidelta.extensions.folders import CHOSEN_BY_NAME, add_folder, added_folders, folders, remove_folder
from unidelta.extensions.paths import CONF
from unidelta.extensions.suggestions import nearest, suggestions

_GLOBAL = ("experiment", *CHOSEN_BY_NAME)
_CHOOSES = re.compile(r"(?=override|.*[=:])(?:override\s+)?/?(\w+)(?:\s*[=:]\s*(\S+))?")
"""What an entry of defaults looks like that lost its colon, or the space after it."""
_ENTRY = "an entry names a group and its option, with a colon between them"
_HEADER = "# @package _global_"
_FILED = (
    "method",
    "position",
    "insertion",
    "composition",
    "budget",
    "task",
    "scale",
    "tracking",
)
"""Groups whose options runs are filed by: an option is called like its file."""


def add_own_folder(folder: str | Path, *, asked: str) -> None:
    """Add a user's folder and read its YAML; of one with mistakes nothing stays, so that it can be added once mended.

    Raises:
        UserError: as `add_folder` and `check_own_files`.
    """
    known = added_folders()
    path = add_folder(folder, asked=asked)
    try:
        check_own_files()
    except UserError:
        if path not in known:
            remove_folder(path)
        raise


def check_own_files() -> None:
    """Read the files of every group in every folder but the project's own.

    Raises:
        Problems: all that is wrong with any of them: what is not YAML, keys and options that there are not, values of
            another type, and names that are not the file's.
    """
    problems = [problem for folder in folders() if folder != CONF for problem in mistakes(folder)]
    if problems:
        raise Problems(problems)


def mistakes(folder: Path) -> Iterator[ConfigError]:
    """What is wrong with the files of a folder's groups."""
    for group in GROUPS:
        for file in sorted((folder / group).rglob("*.yaml")):
            yield from _mistakes_of(file, group, file.relative_to(folder / group).with_suffix("").as_posix())


def _mistakes_of(file: Path, group: str, name: str) -> Iterator[ConfigError]:
    try:
        text = file.read_text(encoding="utf-8")
        content = OmegaConf.to_container(OmegaConf.create(text))
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        yield ConfigError(f"the file {file}", f"it is not YAML: {fault_of_yaml(error)}", "valid YAML")
        return
    if not content and (group, name) == ("experiment", "none"):
        return  # ours: no experiment
    if not isinstance(content, Mapping) or not content:
        yield ConfigError(f"the file {file}", "it has no keys", f"keys like those of {CONF / group}")
        return
    package = re.search(r"^#\s*@package\s+(\S+)", text, re.MULTILINE)
    is_global = group in _GLOBAL or (package is not None and package[1] == "_global_")
    if package is not None and not is_global:
        return  # a place that the file chose itself
    if not is_global and group in content:
        why = f"without its header, `{group}` in it means `{group}.{group}`"
        yield ConfigError(f"the file {file}", why, f"{_HEADER} as its first line")
        return
    entries = content.get("defaults") or []
    found = {str(key): value for key, value in content.items() if key != "defaults"}
    if isinstance(entries, list):
        yield from _wrong_defaults(file, group, entries)
        yield from _wrong_order(file, group, entries)
    else:
        pairs = entries.items() if isinstance(entries, Mapping) else ()
        listed = ", ".join(f"{words}: {option}" for words, option in pairs) or entries
        asked, why = f"defaults: {entries} in {file}", "defaults are a list, in the order in which they are read"
        yield ConfigError(asked, why, f"defaults: [{listed}]")
    yield from _wrong_keys(file, found if is_global else {group: found})
    yield from _wrong_name(file, group, name, found.get(group, {}) if is_global else found)


def _wrong_defaults(file: Path, group: str, entries: Iterable[Any]) -> Iterator[ConfigError]:
    """The entries of a defaults list that choose nothing: no such option, or another word than `override /GROUP:`."""
    for entry in entries:
        spelled = _CHOOSES.fullmatch(entry) if isinstance(entry, str) else None
        if spelled is not None and spelled[1] in GROUPS:
            meant = nearest(spelled[2] or "", options(spelled[1]))
            yield ConfigError(f"defaults: {entry} in {file}", _ENTRY, f"override /{spelled[1]}: {meant}")
            continue
        if isinstance(entry, Mapping) and not all(isinstance(words, str) for words in entry):  # YAML's 1: 2
            yield ConfigError(f"defaults: {entry} in {file}", _ENTRY, "override /GROUP: OPTION")
            continue
        for words, option in entry.items() if isinstance(entry, Mapping) else [("", entry)]:
            chosen, name = words.rpartition(" ")[2].partition("@")[0].lstrip("/") or group, str(option)
            if is_absolute := name.startswith("/"):
                chosen, _, name = name[1:].partition("/")
            is_misplaced = is_absolute and chosen not in CHOSEN_BY_NAME and (chosen != group or group == "experiment")
            is_open = "optional" in words or option in (None, "_self_") or "${" in name
            if is_open or chosen not in GROUPS:
                continue
            if name not in options(chosen):
                near = suggestions(name, options(chosen), n=1)
                instead = near[0] if near else f"one of {', '.join(options(chosen))}"
                yield ConfigError(f"{words or 'defaults'}: {name} in {file}", f"there is no {chosen} `{name}`", instead)
            elif is_misplaced or (words and words.split() != ["override", f"/{chosen}"] and "@" not in words):
                why, instead = (
                    f"an option of {chosen} is chosen already; a file overrides it",
                    f"override /{chosen}: {name}",
                )
                if chosen == group:
                    why, instead = "an option of the file's own group is named alone", name
                yield ConfigError(f"{words or 'defaults'}: {option} in {file}", why, instead)


def _wrong_order(file: Path, group: str, entries: list[Any]) -> Iterator[ConfigError]:
    """A base that comes after `_self_` and so replaces what the file says."""
    after = entries[entries.index("_self_") + 1 :] if "_self_" in entries else []
    for base in after if group in _FILED else []:
        if isinstance(base, str):
            why = f"`_self_` stands before it, so {base} overrides this file"
            yield ConfigError(f"defaults: {base} in {file}", why, f"[{base}, _self_]")


def _wrong_keys(file: Path, content: Mapping[Any, Any], above: str = "") -> Iterator[ConfigError]:
    """Keys that there are not, values that are of another type than their key, and options in the place of values."""
    for name, value in content.items():
        key = f"{above}{name}"
        if "." in str(name):
            near = next(iter(suggestions(key, keys(), n=1)), key)
            why = "in a file a dot is a part of the name; a key below another is written below it"
            yield ConfigError(f"{name}: {value} in {file}", why, _nested(near.removeprefix(above), value, content))
        elif key in keys():
            why = wrong_type(key, value)
            if why is not None:
                in_list = is_list(key) and not isinstance(value, Mapping)
                yield ConfigError(f"{key}: {value} in {file}", why, f"[{value}]" if in_list else "a value of its type")
            for unknown in unknown_in_file(key, value):
                near = [] if unknown in os.environ else suggestions(unknown, keys(), n=1)
                why = f"there is no key `{unknown}`, and a file reads no variables of the shell"
                instead = f"${{{near[0]}}}" if near else "the value itself; ~ is the home folder in a path"
                yield ConfigError(f"{key}: {value} in {file}", why, instead)
        elif isinstance(value, Mapping) and value:
            yield from _wrong_keys(file, value, f"{key}.")
        elif not is_node(key):
            near = suggestions(key, keys(), n=1)
            instead = near[0] if near else "python train.py --cfg job lists every key"
            yield ConfigError(f"{key} in {file}", f"there is no key `{key}`", instead)
        elif isinstance(value, str) and key in GROUPS:
            instead = f"defaults: [override /{key}: {nearest(value, options(key))}]"
            yield ConfigError(f"{key}: {value} in {file}", "in a file an option is chosen by its defaults", instead)
        elif not isinstance(value, Mapping) and (value is not None or key not in OPTIONAL_NODES):
            first = next(one for one in keys() if one.startswith(f"{key}.")).removeprefix(f"{key}.").partition(".")[0]
            why = f"it has keys below it, such as {first}, and no value"
            yield ConfigError(f"{key}: {value} in {file}", why, f"{name}: {{{first}: …}}, or leave it out")


def _nested(key: str, value: object, content: Mapping[Any, Any]) -> str:
    """`training: {max_steps: 3}` of `training.max_steps`, beside what else is in the file."""
    first, _, below = key.partition(".")
    if below and isinstance(content.get(first), Mapping):
        return f"{_nested(below, value, {})}, below {first}"
    return f"{first}: {{{_nested(below, value, {})}}}" if below else f"{first}: {json.dumps(value, default=str)}"


def _wrong_name(file: Path, group: str, name: str, own: Any) -> Iterator[ConfigError]:
    """A name that is not the file's: the runs would be filed under it."""
    said = own.get("name") if isinstance(own, Mapping) else None
    name = name.rpartition("/")[2]
    if group in _FILED and said != name:
        asked = f"the file {file} without a name" if said is None else f"name: {said} in {file}"
        why = f"a {group} is named after its file, and runs are filed by that name"
        yield ConfigError(asked, why, f"{group}: {{name: {name}}}" if own == {} else f"name: {name}")
