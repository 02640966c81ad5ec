"""From a method and its axes to a `Design`: pure, without torch or Hydra.

A method names the form in each slot and presets the axes; `position` selects among its slots; `insertion`
and `composition` apply to every selected slot that does not pin them; the budget is solved last.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from unidelta.config.schema import RunConfig, SlotConfig
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Composition, Conventions, Form, Init, Insertion, LayerNorm, Reparameterisation, Slot
from unidelta.design.budget import same_share, solve
from unidelta.design.conventions import details
from unidelta.design.rules import check
from unidelta.design.spec import HEAD_LEVEL, BitFit, Deltas, DeltaSpec, Design, FullFineTuning, PromptTuning
from unidelta.errors import ConfigError, DesignError, UserError

D = TypeVar("D", Deltas, PromptTuning)
E = TypeVar("E", bound=StrEnum)

DEFAULT_SCALE = 4.0  # the paper's s on XSum and en-ro (§4.5)


def resolve_design(
    config: RunConfig, *, architecture: Architecture, published: Architecture
) -> tuple[Design, list[UserError]]:
    """The design a configuration asks for, and everything that is wrong with it.

    Args:
        config: the composed configuration.
        architecture: the backbone of this run.
        published: the paper's backbone, on which the method's bottlenecks are stated.

    Returns:
        The design, usable only if the list of problems is empty.
    """
    problems: list[UserError] = []
    kind = config.method.kind
    if kind == "deltas":
        design = _deltas(config, architecture, published, problems)
    elif kind in ("full_fine_tuning", "bitfit"):
        _refuse_axes(config, ("position", "insertion", "composition", "budget"), problems)
        design = FullFineTuning() if kind == "full_fine_tuning" else BitFit(trains_head=trains_head(config))
    elif kind == "prompt_tuning":
        _refuse_axes(config, ("position", "insertion", "composition"), problems)
        design = _prompt(config, architecture, published, problems)
    else:
        problems.append(
            ConfigError(
                f"method.kind={kind}",
                "there is no such kind of method",
                "method.kind=deltas, full_fine_tuning, bitfit or prompt_tuning",
            )
        )
        design = FullFineTuning()
    if not problems:
        problems += check(design, architecture)
    return design, problems


def trains_head(config: RunConfig) -> bool:
    """Whether a classification head's weights are trained: frozen in the released code, trained by the text."""
    if config.training.head == "conventions":
        return config.conventions == Conventions.PAPER
    return config.training.head == "trained"


def _deltas(
    config: RunConfig, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> Design:
    slots = _selected(config, problems)
    parts = [part for slot, chosen in slots if (part := _part(config, slot, chosen, architecture, problems))]
    scaled = any(part.composition is Composition.SCALED for part in parts)
    if config.composition.scale is not None and not scaled:
        problems.append(
            ConfigError(
                f"composition={config.composition.name} composition.scale={config.composition.scale:g}",
                f"only the scaled composition has an s; {config.composition.name} would ignore it",
                f"composition=scaled composition.scale={config.composition.scale:g}",
            )
        )
    design = Deltas(parts=tuple(parts), trains_head=trains_head(config))
    if problems:
        return design
    if published != architecture:
        design = same_share(design, published, architecture)
    return _apply_budget(config, design, architecture, problems)


def _selected(config: RunConfig, problems: list[UserError]) -> list[tuple[Slot, SlotConfig]]:
    method = config.method
    defined = [slot for slot, chosen in ((Slot.ATTN, method.attn), (Slot.FFN, method.ffn)) if chosen is not None]
    asked = f"method={method.name} position={config.position.name}"
    if not config.position.slots:
        problems.append(
            DesignError(asked, "a delta needs a position", f"position={' or position='.join(defined) or 'attn'}")
        )
    selected: list[tuple[Slot, SlotConfig]] = []
    for slot in (Slot(name) for name in config.position.slots):
        chosen = method.attn if slot is Slot.ATTN else method.ffn
        if chosen is not None:
            selected.append((slot, chosen))
            continue
        why = f"the method puts nothing at {slot}; it is defined at {' and '.join(defined) or 'no position'}"
        other = method.attn or method.ffn
        if slot is Slot.FFN and other is not None and other.form in HEAD_LEVEL:
            why += f", because a {other.form} changes attention heads and an FFN has none"
        problems.append(
            DesignError(
                asked,
                why,
                f"position={'both' if len(defined) == 2 else ''.join(defined[:1])}, or a method"
                f" that is defined at {slot}: {_ALTERNATIVES[slot]}",
            )
        )
    return selected


_ALTERNATIVES = {
    Slot.ATTN: "method=adapter, method=lora, method=parallel_adapter or method=prefix",
    Slot.FFN: "method=adapter, method=lora, method=parallel_adapter or method=mam",
}


def _part(
    config: RunConfig, slot: Slot, chosen: SlotConfig, architecture: Architecture, problems: list[UserError]
) -> DeltaSpec | None:
    before = len(problems)
    where = f"method.{slot}"
    form = _enum(Form, chosen.form, f"{where}.form", problems)
    insertion = _enum(
        Insertion, chosen.insertion or config.insertion.name, _key(chosen.insertion, where, "insertion"), problems
    )
    composition = _enum(
        Composition,
        chosen.composition or config.composition.name,
        _key(chosen.composition, where, "composition"),
        problems,
    )
    init = _enum(Init, chosen.init or Init.BERT, f"{where}.init", problems)
    layer_norm = (
        None if chosen.layer_norm is None else _enum(LayerNorm, chosen.layer_norm, f"{where}.layer_norm", problems)
    )
    reparameterisation = _enum(Reparameterisation, chosen.reparameterisation, f"{where}.reparameterisation", problems)
    conventions = _enum(Conventions, config.conventions, "conventions", problems)
    if len(problems) > before:
        return None
    detail = details(
        slot=slot,
        form=form,
        insertion=insertion,
        at_layer_output=chosen.at_layer_output,
        family=architecture.family,
        conventions=conventions,
    )
    is_head_level = form in HEAD_LEVEL
    scale = 1.0
    if composition is Composition.SCALED:
        own = chosen.scale if chosen.scale is not None else DEFAULT_SCALE
        scale = config.composition.scale if config.composition.scale is not None else own
    return DeltaSpec(
        slot=slot,
        form=form,
        insertion=insertion,
        composition=composition,
        bottleneck=chosen.bottleneck,
        scale=float(scale),
        representation=detail.representation,
        source=detail.source,
        init=init,
        layer_norm=detail.layer_norm if layer_norm is None else layer_norm,
        bias=detail.bias if chosen.bias is None else chosen.bias,
        dropout=chosen.dropout,
        targets=tuple(chosen.targets),
        reparameterisation=reparameterisation if is_head_level else Reparameterisation.DIRECT,
        mlp_width=chosen.mlp_width,
        prefix_dropout=chosen.prefix_dropout,
        scaled_query=detail.scaled_query,
    )


def _prompt(
    config: RunConfig, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> PromptTuning:
    design = PromptTuning(length=config.method.length or 0)
    if published != architecture:
        design = same_share(design, published, architecture)
    return _apply_budget(config, design, architecture, problems)


def _apply_budget(config: RunConfig, design: D, architecture: Architecture, problems: list[UserError]) -> D:
    budget = config.budget
    keys = {"percent": budget.percent, "bottleneck": budget.bottleneck, "attn": budget.attn, "ffn": budget.ffn}
    given = [key for key, value in keys.items() if value is not None]
    allowed = {"percent": ("percent",), "bottleneck": ("bottleneck", "attn", "ffn")}.get(budget.name, ())
    if set(given) - set(allowed):
        problems.append(
            ConfigError(
                " ".join([f"budget={budget.name}", *(f"budget.{key}={keys[key]:g}" for key in given)]),
                f"budget={budget.name} reads {_words([f'budget.{key}' for key in allowed]) or 'no size'}",
                "budget=percent budget.percent=3.6, or budget=bottleneck budget.bottleneck=200, or budget=paper",
            )
        )
        return design
    slots = [part.slot for part in design.parts] if isinstance(design, Deltas) else []
    flexible = [slot for slot in slots if slot in config.method.flexible] or slots
    if budget.name == "percent" and budget.percent is not None:
        try:
            return solve(design, architecture, percent=budget.percent, flexible=flexible)
        except DesignError as error:
            problems.append(error)
            return design
    if budget.name == "bottleneck" and given:
        return _explicit(config, design, flexible, problems)
    if budget.name != "paper":
        problems.append(
            ConfigError(
                f"method={config.method.name} budget={budget.name}",
                "it does not say how large the delta is",
                "budget=paper, budget=percent budget.percent=3.6, or budget=bottleneck budget.bottleneck=200",
            )
        )
    return design


def _explicit(config: RunConfig, design: D, flexible: Sequence[Slot], problems: list[UserError]) -> D:
    budget = config.budget
    if isinstance(design, PromptTuning):
        return replace(design, length=design.length if budget.bottleneck is None else budget.bottleneck)
    sizes = dict.fromkeys(flexible, budget.bottleneck) if budget.bottleneck is not None else {}
    sizes |= {slot: size for slot, size in ((Slot.ATTN, budget.attn), (Slot.FFN, budget.ffn)) if size is not None}
    absent = sizes.keys() - {part.slot for part in design.parts}
    problems += [
        ConfigError(
            f"budget.{slot}={sizes[slot]} with position={config.position.name}",
            f"the design has no delta at {slot}",
            f"position={slot} or position=both, or leave budget.{slot} out",
        )
        for slot in sorted(absent)
    ]
    return replace(
        design, parts=tuple(replace(part, bottleneck=sizes.get(part.slot, part.bottleneck)) for part in design.parts)
    )


def _refuse_axes(config: RunConfig, axes: Sequence[str], problems: list[UserError]) -> None:
    chosen = {axis: getattr(config, axis).name for axis in axes}
    refused = [axis for axis in axes if chosen[axis] != "none"]
    given = [f"{axis}={chosen[axis]}" for axis in refused]
    if given:
        problems.append(
            DesignError(
                f"method={config.method.name} {' '.join(given)}",
                f"{config.method.name} inserts no delta, so it has no {_words(refused)}",
                f"method={config.method.name} alone, or a method with deltas such as method=adapter",
            )
        )


def _enum(enum: type[E], value: str, key: str, problems: list[UserError]) -> E:
    if value in list(enum):
        return enum(value)
    choices = ", ".join(enum)
    problems.append(ConfigError(f"{key}={value}", f"the choices are {choices}", f"{key}={next(iter(enum))}"))
    return next(iter(enum))


def _key(pinned: str | None, where: str, axis: str) -> str:
    return axis if pinned is None else f"{where}.{axis}"


def _words(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
