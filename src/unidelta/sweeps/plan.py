"""Plan jobs from a file of lines. A line is what a user could type after `python train.py -m`."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import yaml
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from unidelta.config.slips import joined, unreadable
from unidelta.config.spelling import parse, parsed
from unidelta.errors import ConfigError, Problems, UserError, first_line
from unidelta.extensions.fault_of_yaml import fault_of_yaml
from unidelta.extensions.folders import added_folders
from unidelta.extensions.paths import SWEEPS
from unidelta.extensions.suggestions import suggestions

CHOOSING = ("task", "method")
"""Keys that, typed after a sweep's name, select the jobs with this value instead of changing jobs."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run: its overrides, as typed after `python train.py`."""

    overrides: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(self.overrides)


def folders_of_sweeps() -> list[Path]:
    """The folders of sweeps: `sweeps/` in the working directory, in the project, and in each added folder."""
    return [Path("sweeps"), SWEEPS, *(folder / "sweeps" for folder in added_folders())]


def names(folders: Sequence[Path]) -> list[str]:
    """The names of all sweeps."""
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def read_lines(name: str, folders: Sequence[Path]) -> list[str]:
    """The lines of a sweep.

    Raises:
        ConfigError: there is no such sweep, or its file is not a list of lines.
    """
    there = {path.resolve(): path for folder in folders if (path := folder / f"{name}.yaml").is_file()}
    if len(there) > 1:
        first, second, *_ = there.values()
        raise ConfigError(
            f"sweep {name}", f"two files have this name, {first} and {second}", "another name for one of them"
        )
    path = next(iter(there.values()), None)
    if path is None:
        known = names(folders)
        stem = Path(name).stem
        meant = suggestions(stem, known)
        other = next((path for folder in folders if (path := folder / f"{stem}.yml").is_file()), None)
        if other is not None:
            meant = [f"{stem}, after: mv {shlex.quote(str(other))} {shlex.quote(str(other.with_suffix('.yaml')))}"]
        elif Path(name).is_file() and stem not in known:
            meant = [f"{stem}, with its file in ./sweeps"]
        why = "there is no sweep of this name; a sweep is named after its file in sweeps/, without .yaml"
        raise ConfigError(
            f"sweep {name}", why, " or ".join(meant) or f"one of: {', '.join(known) or 'none in these folders'}"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        why = f"{path} is not YAML: {fault_of_yaml(error)}"
        raise ConfigError(f"sweep {name}", why, "- method=mam,lora task=xsum seed=1,2,3") from error
    if not isinstance(content, list) or not content or not all(isinstance(line, str) and line for line in content):
        raise ConfigError(f"sweep {name}", f"{path} is not a list of lines", "- method=mam,lora task=xsum seed=1,2,3")
    return content


def jobs(lines: Sequence[str], overrides: Sequence[str] = ()) -> list[Job]:
    """The jobs of some lines, each once, in order.

    Args:
        lines: sweeps such as `method=mam,lora seed=1,2,3`.
        overrides: typed after the sweep's name. If a line has the same key, a task or a method selects from its
            jobs, and any other key replaces the line's value.

    Raises:
        Problems: every line that cannot be read, or there is no such job.
    """
    found: dict[Job, None] = {}
    others: dict[str, None] = {}
    picked: list[str] = []
    problems: list[UserError] = []
    typed = _parse(overrides, problems)
    for line in lines:
        try:
            said = [parse(word) for word in shlex.split(line)]
            keys = {override.key_or_group for override in said}
            picking = [o for o in typed if o.key_or_group in CHOOSING and o.key_or_group in keys]
            said += [override for override in typed if override not in picking]
            choices_of = {override.key_or_group: _words(override) for override in said}  # the last of a key counts
        except (HydraException, ValueError) as error:
            problems.append(_unreadable(line, error))
            continue
        wanted = {override.key_or_group: set(_words(override)) for override in picking}
        picked += [word for words in wanted.values() for word in sorted(words)]
        for job in product(*choices_of.values()):
            choices = {word for word in job if word.partition("=")[0] in wanted}
            if all(choices & words for words in wanted.values()):
                found[Job(job)] = None
            else:
                others.update(dict.fromkeys(sorted(choices)))
    there = {word for job in found for word in job.overrides}
    absent = [word for word in dict.fromkeys(picked) if word not in there]
    if (absent or (lines and not found)) and not problems:
        others.update(dict.fromkeys(sorted(word for word in there if word.partition("=")[0] in CHOOSING)))
        why = "no job of this sweep is of that kind"
        problems.append(ConfigError(" ".join(absent or picked), why, f"one of: {', '.join(others)}"))
    if problems:
        raise Problems(problems)
    return list(found)


def _words(override: Override) -> list[str]:
    """An override as single words: one, or one for each value of a sweep."""
    key = override.get_key_element().lstrip("+")  # ++seed=1 is seed=1
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise ValueError(f"{override.input_line} has no list of values")
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _parse(overrides: Sequence[str], problems: list[UserError]) -> list[Override]:
    found: list[Override] = []
    for override in overrides:
        try:
            found.append(parse(override))
        except HydraException as error:
            problems.append(_unreadable(override, error))
    return found


def _unreadable(line: str, error: Exception) -> ConfigError:
    """The refusal of a line: what is wrong with its first word that cannot be read, or else what the error says."""
    try:
        found = next((unreadable(word) for word in joined(shlex.split(line)) if parsed(word) is None), None)
    except ValueError:  # a quotation mark that is not closed
        found = None
    if found is not None:
        return ConfigError(line, found.why, found.instead)
    return ConfigError(line, first_line(error), "what can be typed after python train.py -m")


def shard(planned: Sequence[Job], which: str) -> list[Job]:
    """Every n-th job: `1/4` is the second of every four.

    Raises:
        ConfigError: if it is not i/n with 0 ≤ i < n.
    """
    index, _, n = which.partition("/")
    if not (index.isdecimal() and n.isdecimal() and int(index) < int(n)):
        raise ConfigError(f"--shard {which}", "a shard is i/n, counted from 0", "--shard 0/4")
    return list(planned[int(index) :: int(n)])
