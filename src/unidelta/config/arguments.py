"""Sorts the arguments of train.py into Hydra's options and overrides; they may come in any order.

`-m` may be anywhere. `--key=value`, as W&B's agent writes it, means `key=value`, and so does `--key value`.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from unidelta.config.keys import keys
from unidelta.config.schema import GROUPS
from unidelta.errors import ConfigError
from unidelta.extensions.suggestions import suggestions

_ALONE = "--help -h --hydra-help --version --resolve --run -r --multirun -m --shell-completion -sc".split()
_WITH_A_VALUE = "--cfg -c --package -p".split()
_CONFIG_DIR = "--config-dir -cd".split()
_MAYBE_WITH_ONE = {"--info": "all config defaults defaults-tree plugins searchpath".split()}
_MAYBE_WITH_ONE["-i"] = _MAYBE_WITH_ONE["--info"]
_ONE_OF = {
    "-m": ("--multirun", "-m", "hydra.mode=MULTIRUN"),
    "--cfg": ("--cfg", "-c"),
    "--info": ("--info", "-i"),
    "-sc": ("--shell-completion", "-sc"),
}
"""What a command does: one of them, each with its spellings."""
_NOT_HERE = {
    "--config-path": ("configuration is read from one place", "--config-dir DIR adds a folder of your own"),
    "--workers": ("it is an option of sweep.py", "hydra.launcher.workers=N, with -m"),
    "--config-name": ("there is one configuration", "experiment=NAME, a file of experiment/ in --config-dir DIR"),
    "--experimental-rerun": ("it would read a pickle", "the command in the run's record, provenance.command"),
}
_NOT_HERE |= {"-cp": _NOT_HERE["--config-path"], "-cn": _NOT_HERE["--config-name"]}
_USUAL = "key=value, or one of those of python train.py --hydra-help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What was typed after `python train.py`.

    Args:
        words: overrides, `key=value`, of keys and groups.
        options: Hydra's own, with their values.
        config_dir: the user's own configuration folder, which is not left to Hydra: it would not know `~`.
    """

    words: tuple[str, ...]
    options: tuple[str, ...]
    config_dir: str | None = None

    @property
    def is_multirun(self) -> bool:
        """Whether an override may list several values, with one run for each."""
        return bool({"-m", "--multirun", "hydra.mode=MULTIRUN"} & {*self.options, *self.words})

    @property
    def is_completion(self) -> bool:
        """Whether a shell asks for its completion script or for completions; the words are then not overrides."""
        return bool({"-sc", "--shell-completion"} & set(self.options))


def arguments_of(typed: Sequence[str]) -> Arguments:
    """Separate overrides and options.

    Raises:
        ConfigError: something is neither, or an option lacks its value.
    """
    words: list[str] = []
    options: list[str] = []
    config_dirs: list[str] = []
    rest = list(typed)
    while rest:
        argument = rest.pop(0)
        name, equals, attached = argument.partition("=")
        if name in _NOT_HERE:
            raise ConfigError(argument, *_NOT_HERE[name])
        if argument in (*_WITH_A_VALUE, *_CONFIG_DIR) and not rest:
            raise ConfigError(argument, "it is followed by a value", f"{argument} VALUE; python train.py --help")
        if name in _CONFIG_DIR:
            config_dirs.append(attached if equals else rest.pop(0))
        elif argument in _ALONE or (equals and name in (*_WITH_A_VALUE, *_MAYBE_WITH_ONE)):
            options.append(argument)
        elif argument in _WITH_A_VALUE:
            options += [argument, rest.pop(0)]
        elif argument in _MAYBE_WITH_ONE:
            options += [argument, rest.pop(0)] if rest and rest[0] in _MAYBE_WITH_ONE[argument] else [argument]
        elif argument.startswith("-"):
            words.append(setting(argument, rest, options=(*_ALONE, *_WITH_A_VALUE, *_CONFIG_DIR), usual=_USUAL))
        else:
            words.append(argument)
    found = Arguments(words=tuple(words), options=tuple(options), config_dir=next(iter(config_dirs), None))
    _check_one(found)
    if len(config_dirs) > 1:
        asked = " ".join(f"--config-dir {folder}" for folder in config_dirs)
        raise ConfigError(asked, "only one --config-dir is allowed", "--config-dir DIR, with the files of all of them")
    return found


def _check_one(found: Arguments) -> None:
    """Refuse to do two things at once, and completions for a shell that has none."""
    named = [option.partition("=")[0] for option in (*found.options, *found.words)]
    asked = [one for one, spellings in _ONE_OF.items() if {*spellings} & {*named, *found.words}]
    if len(asked) > 1:
        why = "these options exclude each other"
        raise ConfigError(" ".join(asked), why, f"python train.py {asked[-1]} … without {asked[0]}")
    is_query = found.is_completion and any(word.startswith("query=") for word in found.words)
    if is_query and "COMP_LINE" not in os.environ:
        why = "a shell asks this when TAB is pressed, with what is typed in COMP_LINE"
        raise ConfigError(f"-sc {' '.join(found.words)}", why, "-sc install=bash, once")
    if found.is_completion and not re.fullmatch("(install|uninstall|query)=(bash|fish|zsh)", " ".join(found.words)):
        raise ConfigError(f"-sc {' '.join(found.words)}", "the shells are bash, fish and zsh", "-sc install=bash")


def setting(argument: str, rest: list[str], *, options: Sequence[str], usual: str) -> str:
    """`key=value` of `--key=value` or `--key value`; `--key` alone sets it to true, and None is null, as in Python.

    Args:
        argument: what was typed.
        rest: what follows; a value is taken from it.
        options: those of the program, for advice.
        usual: the advice where nothing is like it.

    Raises:
        ConfigError: it is not a key. With a value after `=` it may be one that only the configuration knows.
    """
    known = (*keys(), *GROUPS)
    name, equals, value = argument.partition("=")
    key = name.lstrip("-")
    key = key if key in known else key.replace("-", "_")
    if not equals and rest and "=" not in rest[0] and not rest[0].startswith("-"):
        value = rest[0]
    near = get_close_matches(name, options, cutoff=0.7)
    if argument.startswith("--") and (key in known or (equals and not near)):
        if value and not equals:
            rest.pop(0)
        return f"{key}={'null' if value == 'None' else value if equals else value or 'true'}"
    if not near:
        near = [f"{one}={value or 'VALUE'}" for one in ([key] if key in known else suggestions(key, known))]
    raise ConfigError(argument, "there is no such option", " or ".join(near) or usual)
