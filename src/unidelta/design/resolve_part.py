"""Resolve one slot of a method to a delta: known names, conventions, and the form's own keys."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

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
from unidelta.design.form import FORMS, Form, Setting
from unidelta.design.generator import GENERATORS, Generator
from unidelta.design.ignored_keys import ignored_keys
from unidelta.design.request import SLOTS, Request, SlotConfig
from unidelta.design.resolve_size import sized_by_budget
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import in_words
from unidelta.errors import ConfigError, UserError
from unidelta.extensions.suggestions import nearest

E = TypeVar("E", bound=StrEnum)

DEFAULT_SCALE = 4.0  # the paper's s on XSum and en-ro (§4.5)
DEFAULT_MLP_WIDTH = 800


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
    form = FORMS.get(_known(FORMS, chosen.form, f"{where}.form", problems))
    insertion = _enum(
        Insertion, chosen.insertion or request.insertion.name, _key(chosen.insertion, where, "insertion"), problems
    )
    composition = COMPOSITIONS.get(
        _known(
            COMPOSITIONS,
            chosen.composition or request.composition.name,
            _key(chosen.composition, where, "composition"),
            problems,
        )
    )
    generator = (
        None
        if chosen.generator is None
        else GENERATORS.get(_known(GENERATORS, chosen.generator, f"{where}.generator", problems))
    )
    layers = _layers(request, chosen, where, problems)
    tokens = _tokens(request, chosen, where, problems)
    init = None if chosen.init is None else _enum(Init, chosen.init, f"{where}.init", problems)
    layer_norm = (
        None if chosen.layer_norm is None else _enum(LayerNorm, chosen.layer_norm, f"{where}.layer_norm", problems)
    )
    reparameterisation = _enum(Reparameterisation, chosen.reparameterisation, f"{where}.reparameterisation", problems)
    rotation = _enum(Rotation, chosen.rotation, f"{where}.rotation", problems)
    text_start = _enum(TextStart, chosen.text_start, f"{where}.text_start", problems)
    source = None if chosen.source is None else _enum(Source, chosen.source, f"{where}.source", problems)
    conventions = _enum(Conventions, request.conventions, "conventions", problems)
    if len(problems) > before or form is None or composition is None:
        return None
    problems += ignored_keys(request, chosen, key, form=form, composition=composition)
    options = _options(form, generator, chosen, where, problems)
    if len(problems) > before:
        return None
    setting = Setting(
        slot=slot, insertion=insertion, at_layer_output=chosen.at_layer_output, family=architecture.family
    )
    detail = form.released(setting) if conventions is Conventions.RELEASED else form.paper(setting)
    scale = 1.0
    if composition.reads_scale:
        own = chosen.scale if chosen.scale is not None else DEFAULT_SCALE
        scale = request.composition.scale if request.composition.scale is not None else own
    has_vectors = "reparameterisation" in form.reads
    is_sized = form.size is not None and slot in sized_by_budget(request, request.position.slots)
    first = (form if generator is None else generator).inits[0]
    spec = DeltaSpec(
        slot=slot,
        form=form.name,
        insertion=insertion,
        composition=composition.name,
        bottleneck=0 if is_sized else chosen.bottleneck,
        scale=float(scale),
        representation=detail.representation,
        source=detail.source if source is None else source,
        init=first if init is None else init,
        layer_norm=detail.layer_norm if layer_norm is None else layer_norm,
        bias=detail.bias if chosen.bias is None else chosen.bias,
        dropout=chosen.dropout,
        targets=tuple(chosen.targets),
        reparameterisation=reparameterisation if has_vectors else Reparameterisation.DIRECT,
        mlp_width=_mlp_width(architecture, published) if chosen.mlp_width is None else chosen.mlp_width,
        prefix_dropout=chosen.prefix_dropout,
        scaled_query=detail.scaled_query,
        options=options,
        generator=None if generator is None else generator.name,
        layers=layers,
        rotation=rotation,
        text_start=text_start,
        tokens=tokens,
    )
    return replace(spec, bottleneck=form.smallest(spec)) if is_sized else spec


def _layers(request: Request, chosen: SlotConfig, where: str, problems: list[UserError]) -> str:
    """The layers of a delta: its own, or the axis'."""
    pinned = chosen.layers
    asked = request.layers if pinned is None else pinned
    found = layer_choice.canonical(asked)
    if found is None:
        key = _key(pinned, where, "layers")
        why = "layers are all, the first or the last few of each stack, or indices from 0, each once"
        problems.append(ConfigError(f"{key}={asked}", why, f"{key}=all, {key}=first:4, {key}=last:2 or {key}=[0,5]"))
    return found or "all"


def _tokens(request: Request, chosen: SlotConfig, where: str, problems: list[UserError]) -> str:
    """The tokens that a delta edits: its own choice, or the axis'."""
    asked = request.tokens if chosen.tokens is None else chosen.tokens
    found = token_choice.canonical(asked)
    if found is None:
        key = _key(chosen.tokens, where, "tokens")
        why = "tokens are all, the first few of the source, the last few, or both"
        problems.append(ConfigError(f"{key}={asked}", why, f"{key}=all, {key}=first:4 or {key}=first:4+last:4"))
    return found or token_choice.ALL


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


def _enum(enum: type[E], value: str, key: str, problems: list[UserError]) -> E:
    if value in list(enum):
        return enum(value)
    _known(list(enum), value, key, problems)
    return next(iter(enum))


def _known(registry: Collection[str], value: str, key: str, problems: list[UserError]) -> str:
    if value not in registry:
        near = nearest(value, list(registry))
        problems.append(ConfigError(f"{key}={value}", f"the choices are {', '.join(registry)}", f"{key}={near}"))
    return value


def _key(pinned: object, where: str, axis: str) -> str:
    return axis if pinned is None else f"{where}.{axis}"
