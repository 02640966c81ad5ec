"""Resolve one slot of a method to a delta: known names, conventions, and the form's own keys."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Any

from unidelta.design import layers as layer_choice
from unidelta.design import tokens as token_choice
from unidelta.design.architecture import Architecture
from unidelta.design.axes import (
    Conventions,
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Rotation,
    Source,
    TextStart,
)
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS, Form, Outline
from unidelta.design.generator import GENERATORS, Generator
from unidelta.design.ignored_keys import ignored_keys
from unidelta.design.request import SLOTS, Request, SlotConfig
from unidelta.design.resolve_size import sized_by_budget
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import in_words
from unidelta.errors import ConfigError, UserError
from unidelta.extensions.suggestions import nearest

DEFAULT_SCALE = 4.0  # the paper's s on XSum and en-ro (§4.5)
DEFAULT_MLP_WIDTH = 800
_CHOICES: dict[str, type[StrEnum]] = {
    "init": Init,
    "layer_norm": LayerNorm,
    "reparameterisation": Reparameterisation,
    "rotation": Rotation,
    "text_start": TextStart,
    "source": Source,
}
_OWN = (*_CHOICES, "bias", "dropout", "mlp_width", "prefix_dropout")
"""Keys of a slot that are fields of its delta; null leaves them to the conventions or the form."""
_SELECTIONS = {
    "layers": (
        layer_choice.canonical,
        "layers are all, the first or the last few of each stack, or indices from 0, each once",
        "{key}=all, {key}=first:4, {key}=last:2 or {key}=[0,5]",
    ),
    "tokens": (
        token_choice.canonical,
        "tokens are all, the first few of the source, the last few, or both",
        "{key}=all, {key}=first:4 or {key}=first:4+last:4",
    ),
}
"""How a choice of layers or of tokens is read, and the refusal of one that cannot be."""


def part(
    request: Request,
    key: str,
    chosen: SlotConfig,
    architecture: Architecture,
    published: Architecture,
    problems: list[UserError],
) -> DeltaSpec | None:
    """The delta of a slot; None if it has faults, which are then added to `problems`.

    Args:
        request: the request.
        key: the method's key of this delta, such as `attn`.
        chosen: the method's settings for it.
        architecture: the backbone.
        published: the paper's backbone, to whose width the prefix MLP's is proportional.
        problems: the problems found so far.
    """
    before = len(problems)
    slot, where = SLOTS[key], f"method.{key}"
    insertion = chosen.insertion or request.insertion.name
    composition_name = chosen.composition or request.composition.name
    _check_choice(f"{where}.form", chosen.form, FORMS, problems)
    _check_choice(_key(chosen.insertion, where, "insertion"), insertion, list(Insertion), problems)
    _check_choice(_key(chosen.composition, where, "composition"), composition_name, COMPOSITIONS, problems)
    if chosen.generator is not None:
        _check_choice(f"{where}.generator", chosen.generator, GENERATORS, problems)
    layers = _selection("layers", request.layers, chosen.layers, where, problems)
    tokens = _selection("tokens", request.tokens, chosen.tokens, where, problems)
    own = {name: value for name in _OWN if (value := getattr(chosen, name)) is not None}
    for name, choices in _CHOICES.items():
        if name in own:
            _check_choice(f"{where}.{name}", own[name], list(choices), problems)
    _check_choice("conventions", request.conventions, list(Conventions), problems)
    if len(problems) > before:
        return None
    form, composition = FORMS[chosen.form], COMPOSITIONS[composition_name]
    generator = None if chosen.generator is None else GENERATORS[chosen.generator]
    problems += ignored_keys(request, chosen, key, form=form, composition=composition)
    options = _options(form, generator, chosen, where, problems)
    if len(problems) > before:
        return None
    outline = Outline(
        slot=slot,
        insertion=Insertion(insertion),
        at_layer_output=chosen.at_layer_output,
        family=architecture.family,
    )
    details = form.released(outline) if request.conventions == Conventions.RELEASED else form.paper(outline)
    values: dict[str, Any] = {
        **asdict(details),
        "init": (form if generator is None else generator).inits[0],
        "mlp_width": _mlp_width(architecture, published),
        **own,
    }
    if "reparameterisation" not in form.reads:
        values["reparameterisation"] = Reparameterisation.DIRECT
    if composition.reads_scale:
        of_slot = DEFAULT_SCALE if chosen.scale is None else chosen.scale
        values["scale"] = float(of_slot if request.composition.scale is None else request.composition.scale)
    is_sized = form.size is not None and slot in sized_by_budget(request, request.position.slots)
    spec = DeltaSpec(
        slot=slot,
        form=form.name,
        insertion=outline.insertion,
        composition=composition.name,
        bottleneck=0 if is_sized else chosen.bottleneck,
        targets=tuple(chosen.targets),
        options=options,
        generator=chosen.generator,
        layers=layers,
        tokens=tokens,
        **values,
    )
    return replace(spec, bottleneck=form.smallest(spec)) if is_sized else spec


def _selection(axis: str, asked: Any, pinned: Any, where: str, problems: list[UserError]) -> str:
    """The layers of a delta, or the tokens that it edits: the slot's own choice, or the axis'."""
    canonical, why, instead = _SELECTIONS[axis]
    value = asked if pinned is None else pinned
    found = canonical(value)
    if found is None:
        key = _key(pinned, where, axis)
        problems.append(ConfigError(f"{key}={value}", why, instead.format(key=key)))
    return found or "all"


def _options(
    form: Form, generator: Generator | None, chosen: SlotConfig, where: str, problems: list[UserError]
) -> tuple[tuple[str, int | float | str | bool], ...]:
    """The keys that the form and its generator alone have, with defaults for those not given."""
    known: Mapping[str, int | float | str | bool] = {**form.options, **({} if generator is None else generator.options)}
    values = dict(known)
    name = form.name if generator is None else f"{form.name} with generator {generator.name}"
    for key, value in chosen.options.items():
        asked = f"{where}.options.{key}={value}"
        if key not in known:
            has = f"it has {in_words(list(known))}" if known else "it has none"
            problems.append(ConfigError(asked, f"{name} has no option `{key}`; {has}", f"leave {key} out"))
        elif type(value) is not type(known[key]) and not (isinstance(known[key], float) and type(value) is int):
            kind = type(known[key]).__name__
            problems.append(ConfigError(asked, f"it must be of type {kind}", f"{where}.options.{key}={known[key]}"))
        else:
            values[key] = type(known[key])(value)
    return tuple(values.items())


def _mlp_width(architecture: Architecture, published: Architecture) -> int:
    """The paper's 800, on another backbone in proportion to its width, or the MLP would outgrow a small model."""
    return max(1, round(DEFAULT_MLP_WIDTH * architecture.width / published.width))


def _check_choice(key: str, value: str, choices: Collection[str], problems: list[UserError]) -> None:
    if value not in choices:
        near = nearest(value, list(choices))
        problems.append(ConfigError(f"{key}={value}", f"the choices are {', '.join(choices)}", f"{key}={near}"))


def _key(pinned: object, where: str, axis: str) -> str:
    return axis if pinned is None else f"{where}.{axis}"
