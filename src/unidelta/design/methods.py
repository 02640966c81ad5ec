"""Methods by name, read from their YAML without Hydra: for `unidelta.inject` and for tables.

A method's file sets its slots and presets four axes; arguments win over the presets. `train.py` composes the same
files with Hydra; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from functools import cache
from numbers import Integral, Real
from typing import Any, TypedDict, cast

import yaml

from unidelta.design.axes import Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.request import (
    HEADS,
    SLOTS,
    BudgetConfig,
    CompositionConfig,
    InsertionConfig,
    MethodConfig,
    PositionConfig,
    Request,
    SlotConfig,
    slots_of,
)
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import config_file, config_names
from unidelta.extensions.suggestions import suggestions

_AXES = ("position", "insertion", "composition", "budget")
_AS_TYPED = {"budget.bottleneck": "budget", "composition.scale": "scale"}
"""Axes by their keys after `python train.py`, where these differ and other programs have words for them."""


class Axes(TypedDict, total=False):
    """Changes to a method; whatever is left out comes from the method's file.

    Keys:
        position: attn, ffn or both.
        insertion: sequential or parallel.
        composition: a composition, such as additive or scaled.
        scale: s of composition=scaled, for every slot.
        budget: a share of the backbone's parameters, `"0.5%"`; or a bottleneck, `30`, or one for each slot,
            `{"attn": 30, "ffn": 512}`.
        layers: which layers of each stack have the deltas: `"all"`, `"first:4"`, `"last:2"` or `[0, 5]`.
        tokens: which tokens of the source LoReFT edits: `"all"`, `"first:4"`, `"last:4"` or `"first:4+last:4"`.
        conventions: released (the authors' code) or paper (the text).
        head: conventions, frozen or trained: the weights of a classification head.
    """

    position: str
    insertion: str
    composition: str
    scale: float
    budget: str | int | Mapping[str, int]
    layers: str | Sequence[int]
    tokens: str
    conventions: str
    head: str


def request_of(method: str, axes: Axes) -> Request:
    """The request for a method by name, with changes to its axes.

    Raises:
        ConfigError: there is no such method, or an axis has no such value.
    """
    _check_names(method, axes)
    content = _read("method", method)
    presets = _presets(content)
    chosen = {axis: axes.get(axis, presets[axis]) for axis in ("position", "insertion", "composition")}
    size = axes.get("budget")
    request = Request(
        method=_method(content["method"]),
        position=PositionConfig(**_read("position", chosen["position"])),
        insertion=InsertionConfig(**_read("insertion", chosen["insertion"])),
        composition=CompositionConfig(**_read("composition", chosen["composition"])),
        budget=BudgetConfig(**_read("budget", presets["budget"])) if size is None else _budget(method, size),
        layers=axes.get("layers", "all"),
        tokens=str(axes.get("tokens", "all")),
        conventions=axes.get("conventions", "released"),
        head=_head(axes.get("head", HEADS[0])),
    )
    scale = axes.get("scale")
    if scale is not None:
        request = replace(request, composition=replace(request.composition, scale=_scale(scale)))
    return _without_unused_scales(request)


def _check_names(method: object, axes: Mapping[str, Any]) -> None:
    """Refuse a method that is not a name, and arguments that are no axes."""
    if not isinstance(method, str):
        why = "a method is asked for by its name, or as a design of `unidelta.design`"
        raise ConfigError(f"method={method!r}", why, 'unidelta.inject(model, "mam")')
    known = [*Axes.__annotations__, *_AS_TYPED]
    problems: list[UserError] = []
    for name in sorted(set(axes) - Axes.__annotations__.keys()):
        near = "".join(f"{_AS_TYPED.get(one, one)}={axes[name]!r}; or " for one in suggestions(name, known, n=1))
        instead = f"{near}one of {', '.join(Axes.__annotations__)}"
        problems.append(ConfigError(f"method={method} with {name}={axes[name]!r}", "there is no such axis", instead))
    if problems:
        raise Problems(problems)


def _head(head: object) -> str:
    if head not in HEADS:
        raise ConfigError(f"head={head!r}", f"the choices are {', '.join(HEADS)}", f'head="{HEADS[0]}"')
    return str(head)


def _scale(scale: object) -> float:
    if isinstance(scale, bool) or not isinstance(scale, Real):
        raise ConfigError(f"scale={scale!r}", "s is a number", "scale=4")
    try:
        return float(scale)
    except OverflowError:  # a whole number can be larger than any float
        raise ConfigError(f"scale={scale!r:.60}", "s is a finite number", "scale=4") from None


def _read(group: str, name: object) -> dict[str, Any]:
    path = config_file(group, name) if isinstance(name, str) else None
    if path is None and group == "composition" and name in COMPOSITIONS:  # registered, and without a file
        return {"name": name}
    if path is None:
        known = [one for one in config_names(group) if one != "none"]
        if group == "composition":
            known = list(dict.fromkeys([*known, *COMPOSITIONS]))
        near = suggestions(str(name), known, n=1) or known[:4]
        why = f"there is no {group} `{name}`; there are {', '.join(known)}"
        raise ConfigError(f"{group}={_in_quotes(name)}", why, " or ".join(f"{group}={one}" for one in near))
    return deepcopy(_parsed(path.read_text(encoding="utf-8")))


@cache
def _parsed(text: str) -> dict[str, Any]:
    """A file's content; a report asks for each of some thirty files hundreds of times."""
    return yaml.safe_load(text) or {}


def _in_quotes(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _presets(content: Mapping[str, Any]) -> dict[str, str]:
    """The option of each axis that a method's file presets; `none` if it does not."""
    found: dict[str, str] = {axis: "none" for axis in _AXES}
    entries: list[str | dict[str, str | None]] = content.get("defaults", [])
    for entry in entries:
        if not isinstance(entry, str):
            found |= {key.removeprefix("override /"): str(value) for key, value in entry.items()}
    return found


def _method(content: Mapping[str, Any]) -> MethodConfig:
    slots: dict[str, Any] = {key: SlotConfig(**content[key]) for key in SLOTS if content.get(key) is not None}
    known = {field.name for field in fields(MethodConfig)} - set(SLOTS)
    own: dict[str, Any] = {key: value for key, value in content.items() if key in known}
    return MethodConfig(**own, **slots)


def _budget(method: str, size: object) -> BudgetConfig:
    asked = f"method={method} budget={size!r}"
    match size:
        case str():
            number = size.strip().removesuffix("%").strip()
            try:
                share = float(number)
            except ValueError:
                why = "a share is written in percent of the backbone's parameters"
                raise ConfigError(asked, why, 'budget="0.5%"') from None
            if "%" not in size:  # 30 as a share is another model than a bottleneck of 30
                bottleneck = f", or budget={number}" if number.isdecimal() else ""
                why = "a share has its sign, and a bottleneck is a number without quotes"
                raise ConfigError(asked, why, f'budget="{number}%"{bottleneck}')
            return BudgetConfig(name="percent", percent=share)
        case Mapping():
            sizes = cast("Mapping[object, object]", size)
            wrong = [str(slot) for slot in sizes if slot not in tuple(Slot)]
            if not sizes:
                raise ConfigError(asked, "it names no slot", 'budget={"attn": 30, "ffn": 512}')
            if wrong:
                raise ConfigError(asked, f"{', '.join(wrong)} is not a slot", 'budget={"attn": 30, "ffn": 512}')
            return BudgetConfig(name="bottleneck", **{str(slot): _whole(n, asked) for slot, n in sizes.items()})
        case _:
            return BudgetConfig(name="bottleneck", bottleneck=_whole(size, asked))


def _whole(size: object, asked: str) -> int:
    """A bottleneck; any library's whole number is one."""
    if not isinstance(size, bool) and isinstance(size, Integral):
        return int(size)
    share = f'budget="{size:g}%", or ' if isinstance(size, float) else ""
    raise ConfigError(asked, "a number is a bottleneck, which is whole; a share has its sign", f"{share}budget=30")


def _without_unused_scales(request: Request) -> Request:
    """Drop a file's s where nothing reads it."""
    method = request.method
    slots: dict[str, Any] = {
        key: chosen if reads_own_scale(chosen, request.composition) else replace(chosen, scale=None)
        for key, chosen in slots_of(method).items()
    }
    return replace(request, method=replace(method, **slots))


def reads_own_scale(chosen: SlotConfig, axis: CompositionConfig) -> bool:
    """Whether the s that a file gives a slot is used: not with another composition, nor where the axis has an s."""
    composition = COMPOSITIONS.get(chosen.composition or axis.name)
    return composition is not None and composition.reads_scale and axis.scale is None
