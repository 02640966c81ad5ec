"""Mistakes in what was typed, found before anything is composed, all of them at once."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import get_args, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.groups import options
from unidelta.config.inert import check_inert
from unidelta.config.launchers import check_launcher
from unidelta.config.schema import GROUPS, GenerationConfig, RunConfig, TaskConfig
from unidelta.design.axes import Slot
from unidelta.design.request import MethodConfig, SlotConfig
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import config_file
from unidelta.extensions.paths import CONF

_NAMES = tuple(f"{group}.name" for group in GROUPS)
_OPTIONS = tuple(f"method.{slot}.options." for slot in Slot)
_OPTIONAL_NODES = ("method.attn", "method.ffn", "task.generation")


def check(arguments: Sequence[str]) -> None:
    """Refuse unknown keys, unknown choices and values of the wrong type.

    Args:
        arguments: the overrides as typed, sweeps included; Hydra's own keys pass if they name no code.

    Raises:
        Problems: everything that is wrong, together, each with the nearest name that exists.
    """
    problems: list[UserError] = []
    parsed: dict[str, Override] = {}
    for argument in arguments:
        try:
            parsed[argument] = OverridesParser.create().parse_override(argument)
        except HydraException:
            instead = "key=value, quoted where it holds spaces or commas"
            problems.append(ConfigError(argument, "it cannot be read as key=value", instead))
    for argument, override in parsed.items():
        problems += _check_override(argument, override)
    if not problems:
        problems += _check_absent_nodes(parsed)
    if problems:
        raise Problems(problems)


def as_hydra_reads(words: Sequence[str]) -> list[str]:
    """Words as typed, in Hydra's spelling: it sets a new key of a dictionary, such as a form's option, by `++` only."""
    return [f"++{word}" if word.startswith(_OPTIONS) else word for word in words]


def as_typed(words: Sequence[str]) -> list[str]:
    """Undo `as_hydra_reads`."""
    return [word.removeprefix("++") for word in words]


def keys() -> list[str]:
    """Every value key that exists, dotted."""
    return list(_flatten(RunConfig, ""))


def _check_override(argument: str, override: Override) -> Iterator[UserError]:
    key = override.key_or_group
    forbidden = tuple(check_inert(argument, key))
    if forbidden:
        yield from forbidden
        return
    if key.split(".")[0].split("/")[0] == "hydra":
        yield from check_launcher(_values(override) if key == "hydra/launcher" else ())
        return
    if override.is_delete() or override.is_add():
        if key not in GROUPS and key not in keys():
            yield _unknown(argument, f"there is no key `{key}`", key, [*GROUPS, *keys()], "")
        else:
            why = "keys are neither added nor deleted; every key that is read exists already"
            plain = argument.lstrip("+~")
            yield ConfigError(argument, why, plain if "=" in plain else f"{key}={_default(key)}")
    elif key in GROUPS:
        for value in _values(override):
            if key == "experiment" and not options(key):
                if value != "None":
                    instead = f"experiment=null, or write conf/experiment/{value}.yaml"
                    yield ConfigError(f"{key}={value}", "there are no experiments yet", instead)
            elif value not in options(key) and (key, value) != ("experiment", "None"):
                yield _unknown(f"{key}={value}", f"`{value}` is no {key}", str(value), options(key), f"{key}=")
    elif key.startswith(_OPTIONS):
        return  # whether the form has it: `resolve_part`
    elif key not in keys():
        yield _unknown(argument, f"there is no key `{key}`", key, [*GROUPS, *keys()], "")
    elif key in _NAMES:
        group = key.split(".")[0]
        why = f"`{key}` is what the files of {group}= are called by; another name would misfile the run"
        yield ConfigError(argument, why, f"{group}={override.value()}")
    elif key == "method.kind":
        why = "the kind is the method's own: its file has the slots or the size that this kind needs"
        yield ConfigError(
            argument, why, "method=full, method=bitfit, method=prompt, or one with deltas: method=adapter"
        )
    elif override.is_sweep_override():
        for value in _values(override):
            yield from _check_type(f"{key}={value}")
    else:
        yield from _check_type(argument)


def _check_absent_nodes(parsed: Mapping[str, Override]) -> Iterator[UserError]:
    """Keys below a node that the chosen option leaves out, such as the FFN slot of a prefix."""
    for argument, override in parsed.items():
        node = next((n for n in _OPTIONAL_NODES if override.key_or_group.startswith(f"{n}.")), None)
        if node is None:
            continue
        group = node.split(".")[0]
        chosen = next((o for o in parsed.values() if o.key_or_group == group), None)
        names = [_default(group)] if chosen is None else _values(chosen)
        for name in names:
            content = OmegaConf.load(config_file(group, name) or CONF / group / f"{name}.yaml")
            if OmegaConf.select(content, node) is None:
                has = [n for n in _OPTIONAL_NODES if OmegaConf.select(content, n)]
                yield ConfigError(
                    f"{group}={name} {argument}",
                    f"{group}={name} has no `{node}`; it has {' and '.join(has) or 'none of this kind'}",
                    f"leave {override.key_or_group} out, or another {group}",
                )


def _default(key: str) -> str:
    """The option of a group that config.yaml chooses, or the default of a value key."""
    for entry in OmegaConf.load(CONF / "config.yaml").defaults:
        if isinstance(entry, DictConfig) and key in entry:
            return str(entry[key])
    default = OmegaConf.select(OmegaConf.structured(RunConfig), key, throw_on_missing=False)
    return "null" if default is None else str(default)


def _values(override: Override) -> list[str]:
    """The value of an override, or all values of a sweep."""
    if override.is_sweep_override():
        return [str(value) for value in override.sweep_string_iterator()]
    return [str(override.value())]


@cache  # a twentieth of a second each, and the jobs of a sweep share most of their words
def _check_type(argument: str) -> tuple[ConfigError, ...]:
    override = OverridesParser.create().parse_override(argument)
    key = override.key_or_group
    config = RunConfig(
        method=MethodConfig(attn=SlotConfig(), ffn=SlotConfig()), task=TaskConfig(generation=GenerationConfig())
    )
    probe = OmegaConf.structured(config)
    try:
        OmegaConf.update(probe, key, override.value())
    except OmegaConfBaseException as error:
        why = str(error).splitlines()[0]
        default = OmegaConf.select(OmegaConf.structured(config), key, throw_on_missing=False)
        instead = f"{key}={default}" if default is not None else f"{key}=null, or a value of that type"
        return (ConfigError(argument, why[0].lower() + why[1:], instead),)
    return ()


def _unknown(asked: str, why: str, name: str, known: list[str], prefix: str) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    near += [key for key in known if key.split(".")[-1] == name.split(".")[-1] and key not in near]
    if near:
        return ConfigError(asked, why, " or ".join(f"{prefix}{option}" for option in near[:3]))
    return ConfigError(
        asked, why, f"{prefix}{'|'.join(known)}" if prefix else "python train.py --cfg job lists every key"
    )


def _flatten(schema: type, prefix: str) -> Iterator[str]:
    hints = get_type_hints(schema)
    for field in fields(schema):
        hint = hints[field.name]
        nested = next((t for t in (hint, *get_args(hint)) if isinstance(t, type) and is_dataclass(t)), None)
        if nested is None:
            yield prefix + field.name
        else:
            yield from _flatten(nested, f"{prefix}{field.name}.")
