"""Mistakes in what was typed, found before anything is composed, all of them at once."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from hydra.core.override_parser.types import Glob, Override
from omegaconf import DictConfig, OmegaConf

from unidelta.config.groups import options
from unidelta.config.keys import OPTIONAL_NODES, default, is_list, keys, text_keys, wrong_type
from unidelta.config.launchers import LISTS, check_launcher, check_pool
from unidelta.config.no_code import check_no_code
from unidelta.config.references import check_references
from unidelta.config.schema import GROUPS
from unidelta.config.slips import joined, unreadable
from unidelta.config.spelling import OPTIONS, in_quotation_marks, parsed, quoted
from unidelta.config.strays import check_strays
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import CHOSEN_BY_NAME, config_file
from unidelta.extensions.paths import CONF
from unidelta.extensions.suggestions import suggestions

_NAMES = tuple(f"{group}.name" for group in GROUPS)


def check(arguments: Sequence[str], *, is_multirun: bool = True) -> None:
    """Refuse unknown keys, unknown choices, values of the wrong type, and files that nothing reads.

    Args:
        arguments: the overrides as typed; Hydra's own keys pass if they name no code.
        is_multirun: whether a word may have several values, a run for each.

    Raises:
        Problems: everything that is wrong, together, each with what may have been meant.
    """
    check_strays()
    problems: list[UserError] = []
    known: dict[str, Override] = {}
    for argument in joined(arguments):
        override = parsed(argument) if argument in arguments else None
        if override is None:
            slip = unreadable(argument)
            problems += _without_marks(argument, is_multirun=is_multirun) if slip is None else [slip]
            continue
        known[argument] = override
        is_of_hydra = _is_of_hydra(override.key_or_group)
        if override.is_sweep_override() and not (is_of_hydra or is_multirun):
            problems.append(_several(argument, override, arguments))
            continue
        wrong = list(_check_override(argument, override))
        if override.is_sweep_override() and is_of_hydra and not wrong:
            wrong.append(_of_all_jobs(argument, override))
        problems += wrong
    problems += _check_pool_keys(known)
    if not problems:
        problems += _check_absent_nodes(known)
    if problems:
        raise Problems(problems)


def _without_marks(argument: str, *, is_multirun: bool) -> Iterator[UserError]:
    """What is wrong with a word that the grammar reads in quotation marks only; if nothing else, the advice of them."""
    meant = in_quotation_marks(argument, is_multirun=is_multirun)
    override = parsed(meant)
    assert override is not None  # any text can be read in them
    wrong = tuple(_check_override(meant, override))
    yield from (type(problem)(argument, problem.why, problem.instead) for problem in wrong)
    if wrong:
        return
    why, instead = "Hydra's grammar does not read this value", shlex.quote(meant)
    if '"' in meant:
        why = f"{why} without quotation marks"
        instead = f"{instead}, the value quoted for Hydra, and again for the shell"
    yield ConfigError(argument, why, instead)


def _check_pool_keys(known: Mapping[str, Override]) -> Iterator[UserError]:
    """Keys below `hydra.launcher`, where the launcher is the pool, as it is if none is named."""
    launchers = [_values(override) for override in known.values() if override.key_or_group == "hydra/launcher"]
    for argument, override in known.items() if launchers in ([], [["pool"]]) else ():
        is_one = not override.is_delete() and not override.is_sweep_override()
        if override.key_or_group.startswith("hydra.launcher.") and is_one:
            yield from check_pool(argument, override.key_or_group, override.value())


def _check_override(argument: str, override: Override) -> Iterator[UserError]:
    key = override.key_or_group
    forbidden = (*check_no_code(argument, override), *check_references(argument))
    if forbidden:
        yield from forbidden
        return
    if _is_of_hydra(key):
        yield from check_launcher(_values(override) if key == "hydra/launcher" else ())
        if key == "hydra.mode" and argument not in ("hydra.mode=MULTIRUN", "hydra.mode=RUN"):
            yield ConfigError(argument, "several jobs need -m", "-m")
        if key in ("hydra.sweeper", "hydra/sweeper") or key.startswith("hydra.sweeper.params"):
            yield ConfigError(argument, "the jobs of a multirun are the listed values of its keys", "-m seed=1,2")
        return
    if not override.is_delete() and override.value() == "":
        why = "it has no value; an unset variable of the shell is empty, too"
        yield ConfigError(
            argument, why, f"{key}={_default(key)}" if key in (*GROUPS, *keys()) else "a value after the ="
        )
        return
    if key == "backbone.config" or key.startswith("backbone.config."):
        why = "sizes are those of the checkpoint's own config.json; this is what a file of backbone/ says of them"
        yield ConfigError(argument, why, "backbone.checkpoint=DIR, or another backbone, such as backbone=bert")
        return
    if override.is_delete() or override.is_add():
        if key not in GROUPS and key not in keys():
            yield _no_key(argument, key)
        else:
            why = "keys are neither added nor deleted; every key that is read exists already"
            plain = argument.lstrip("+~")
            yield ConfigError(argument, why, plain if "=" in plain else f"{key}={_default(key)}")
    elif key in GROUPS:
        if key in CHOSEN_BY_NAME:
            why = f"the file of {key}/ is chosen automatically, by scale, task and method"
            yield ConfigError(argument, why, "task=, method= and scale=, or a file of your own in experiment/")
            return
        for value in _values(override):
            if value not in options(key) and not (key == "experiment" and value in ("None", "null")):
                there = ", ".join(options(key))
                why = f"there is no {key} `{value}`; there are {there}"
                if key == "budget" and (size := re.fullmatch(r"(\d*\.?\d+)(%?)", value)):
                    name = "percent" if size[2] else "bottleneck"
                    yield ConfigError(f"budget={value}", why, f"budget={name} budget.{name}={size[1]}")
                    continue
                # `none` is a preset that methods choose for themselves, except of tracking
                known = [option for option in options(key) if option != "none" or key == "tracking"]
                meant = suggestions(value, known) or known[:4]
                yield ConfigError(f"{key}={value}", why, " or ".join(f"{key}={option}" for option in meant))
    elif key.startswith(OPTIONS):
        return  # whether the form has it: `resolve_part`
    elif key not in keys():
        yield _no_key(argument, key)
    elif key in _NAMES:
        group = key.split(".")[0]
        why = f"`{key}` has to be the name of the file in {group}/, or the run would be misfiled"
        yield ConfigError(argument, why, f"{group}={override.value()}")
    elif key == "method.kind":
        why = "the kind is the method's own: its file has the slots or the size that this kind needs"
        yield ConfigError(
            argument, why, "method=full, method=bitfit, method=prompt, or one with deltas: method=adapter"
        )
    elif isinstance(override.value(), Glob):
        yield ConfigError(argument, "glob(…) is for groups, whose options are files", f"{key}={_default(key)}")
    elif override.is_interval_sweep():
        why = "an interval cannot be enumerated"
        yield ConfigError(argument, why, f"values, {key}=1,2,3, or {key}=range(1,4)")
    elif override.is_sweep_override():
        for value in _values(override):
            yield from _check_type(f"{key}={value}")
    else:
        yield from _check_type(argument)


def _check_absent_nodes(parsed: Mapping[str, Override]) -> Iterator[UserError]:
    """Keys below a node that the chosen option leaves out, such as the FFN slot of a prefix."""
    for argument, override in parsed.items():
        node = next((n for n in OPTIONAL_NODES if override.key_or_group.startswith(f"{n}.")), None)
        if node is None:
            continue
        group = node.split(".")[0]
        chosen = next((o for o in parsed.values() if o.key_or_group == group), None)
        names = [_default(group)] if chosen is None else _values(chosen)
        for name in names:
            has = [n for n in OPTIONAL_NODES if _has(group, name, n)]
            if node not in has:
                yield ConfigError(
                    f"{group}={name} {argument}",
                    f"{group}={name} has no `{node}`; it has {' and '.join(has) or 'none of this kind'}",
                    f"leave {override.key_or_group} out, or another {group}",
                )


def _has(group: str, name: str, node: str) -> bool:
    """Whether an option of a group has a node, in its own file or in one of the group's that it begins with."""
    content = OmegaConf.load(config_file(group, name) or CONF / group / f"{name}.yaml")
    defaults = OmegaConf.select(content, "defaults", default=())
    bases = [entry for entry in defaults if isinstance(entry, str) and entry != "_self_"]
    return OmegaConf.select(content, node) is not None or any(_has(group, base, node) for base in bases)


def _default(key: str) -> str:
    """The option of a group that config.yaml chooses, or the default of a value key."""
    if key in keys():
        value = default(key)
        return "null" if value is None else str(value)
    chosen = (entry for entry in OmegaConf.load(CONF / "config.yaml").defaults if isinstance(entry, DictConfig))
    return next((str(entry[key]) for entry in chosen if key in entry), "null")


def _values(override: Override) -> list[str]:
    """The value of an override, or all values of a sweep; of a glob that fits nothing, the glob itself."""
    value = override.value()
    if isinstance(value, Glob):
        return value.filter(options(override.key_or_group)) or [str(override.input_line).partition("=")[2]]
    if override.is_sweep_override():
        return [str(value) for value in override.sweep_string_iterator()]
    return [str(override.value())]


@cache  # a twentieth of a second each, and the jobs of a sweep share most of their words
def _check_type(argument: str) -> tuple[ConfigError, ...]:
    override = parsed(argument)
    assert override is not None  # `check` has parsed it
    key, value = override.key_or_group, override.value()
    why = wrong_type(key, value)
    if why is None:
        return ()
    instead = f"{key}=null, or a value of that type" if default(key) is None else f"{key}={default(key)}"
    if isinstance(value, float) and value.is_integer():  # 1e3 of a whole number
        instead = f"{key}={value:.0f}"
    elif is_list(key) and isinstance(value, str | int | float):
        why, instead = "it is a list", f"{key}=[{argument.partition('=')[2].strip('[]')}]"
    elif key in text_keys() and isinstance(value, list | dict):  # a text in brackets
        instead = shlex.quote(quoted(key, argument.partition("=")[2]))
    elif isinstance(value, str) and value.endswith("%") and wrong_type(key, value[:-1]) is None:
        instead = f"{key}={value[:-1]}"
    return (ConfigError(argument, why, instead),)


def _no_key(argument: str, key: str) -> ConfigError:
    meant = [_with_value(one, key, argument.partition("=")[2]) for one in suggestions(key, [*GROUPS, *keys()])]
    instead = " or ".join(meant) or "python train.py --cfg job lists every key"
    return ConfigError(argument, f"there is no key `{key}`", instead)


def _with_value(key: str, typed: str, value: str) -> str:
    """A key that may be meant, with the value that was typed if it surely fits: not `training.device=0` for `gpu=0`."""
    if key in GROUPS:
        return f"{key}={value}" if value in options(key) else key
    is_choice = key in text_keys() and key.rpartition(".")[2] != typed.rpartition(".")[2]
    word = f"{key}={value}"
    return key if is_choice or parsed(word) is None or _check_type(word) else word


def _is_of_hydra(key: str) -> bool:
    return re.split("[./]", key)[0] == "hydra"


def _of_all_jobs(argument: str, override: Override) -> ConfigError:
    key, _, value = argument.partition("=")
    is_list = key in LISTS and "[" not in value
    instead = f"{key}=[{value}]" if is_list else f"{key}={_values(override)[0]}"
    return ConfigError(argument, "Hydra's own settings have one value, for all jobs", shlex.quote(instead))


def _several(argument: str, override: Override, typed: Sequence[str]) -> ConfigError:
    key, _, value = argument.partition("=")
    why = "several values are a run for each, which needs -m"
    if is_list(key) and not value.startswith("["):
        listed = f"{key}=[{value}]"
        return ConfigError(argument, "it is a list, which has brackets", shlex.quote(listed))
    instead = f"python train.py -m {shlex.join(typed)}"
    if override.key_or_group in text_keys():
        instead += f", or for one text with that in it: {shlex.quote(quoted(key, value))}"
    return ConfigError(argument, why, instead)
