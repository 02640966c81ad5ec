"""From a method and its axes to a `Design`: pure, without torch or Hydra.

A method names the form in each slot and presets the axes; `position` selects among its slots; `insertion`
and `composition` apply to every selected slot that does not pin them; the budget is solved last.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from unidelta.config.idle_options import idle_options
from unidelta.config.resolve_size import in_words, number, resolve_size
from unidelta.config.schema import RunConfig, SlotConfig
from unidelta.design.architecture import Architecture
from unidelta.design.axes import (
    Composition,
    Conventions,
    Family,
    Form,
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Slot,
)
from unidelta.design.conventions import details
from unidelta.design.rules import check
from unidelta.design.spec import HEAD_LEVEL, BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, PromptTuning
from unidelta.errors import ConfigError, DesignError, UserError

E = TypeVar("E", bound=StrEnum)

DEFAULT_SCALE = 4.0  # the paper's s on XSum and en-ro (§4.5)
DEFAULT_MLP_WIDTH = 800


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
    elif kind in ("full_fine_tuning", "bitfit", "frozen"):
        if kind == "frozen" and config.training.head == "trained":
            problems.append(
                ConfigError(
                    f"method={config.method.name} training.head=trained",
                    f"{config.method.name} trains nothing",
                    f"method={config.method.name} training.head=conventions, or method=bitfit training.head=trained",
                )
            )
        _refuse_axes(config, ("position", "insertion", "composition", "budget"), problems)
        head = trains_head(config, architecture.family)
        if kind == "full_fine_tuning" and config.training.head == "frozen":
            problems.append(
                ConfigError(
                    f"method={config.method.name} training.head=frozen",
                    f"{config.method.name} trains every parameter, a classification head's too",
                    f"method={config.method.name} training.head=conventions, or method=bitfit training.head=frozen",
                )
            )
        design = {"full_fine_tuning": FullFineTuning(), "bitfit": BitFit(trains_head=head), "frozen": Frozen()}[kind]
    elif kind == "prompt_tuning":
        _refuse_axes(config, ("position", "insertion", "composition"), problems)
        design = _prompt(config, architecture, published, problems)
    else:
        problems.append(
            ConfigError(
                f"method.kind={kind}",
                "there is no such kind of method",
                "method.kind=deltas, full_fine_tuning, bitfit, prompt_tuning or frozen",
            )
        )
        design = FullFineTuning()
    if not problems or (isinstance(design, Deltas) and design.parts):
        problems += check(design, architecture)
    return design, problems


def trains_head(config: RunConfig, family: Family) -> bool:
    """Whether a classification head's weights are trained.

    The released code leaves RoBERTa's new head frozen at its random values; the text does not say so, and
    there is no released code for BERT, so both train it.
    """
    if family.is_encoder_decoder:
        return False
    if config.training.head == "conventions":
        return config.conventions == Conventions.PAPER or family is Family.BERT
    return config.training.head == "trained"


def _deltas(
    config: RunConfig, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> Design:
    slots = _selected(config, problems)
    parts = [part for slot, chosen in slots if (part := _part(config, slot, chosen, architecture, published, problems))]
    is_idle = not any(part.composition is Composition.SCALED for part in parts) and len(parts) == len(slots)
    if config.composition.scale is not None and is_idle:
        problems.append(
            ConfigError(
                f"composition={config.composition.name} composition.scale={config.composition.scale:g}",
                f"only the scaled composition has an s; {config.composition.name} would ignore it",
                f"composition=scaled composition.scale={config.composition.scale:g}",
            )
        )
    design = Deltas(parts=tuple(parts), trains_head=trains_head(config, architecture.family))
    if problems:
        return design
    return resolve_size(config, design, architecture, published, problems)


def _selected(config: RunConfig, problems: list[UserError]) -> list[tuple[Slot, SlotConfig]]:
    method = config.method
    defined = [slot for slot, chosen in ((Slot.ATTN, method.attn), (Slot.FFN, method.ffn)) if chosen is not None]
    asked = f"method={method.name} position={config.position.name}"
    if not defined:
        why = f"method.kind={method.kind} inserts deltas, and the method has neither method.attn nor method.ffn"
        problems.append(DesignError(asked, why, "one of them in the method's file, or a method such as method=adapter"))
        return []
    if not config.position.slots:
        problems.append(DesignError(asked, "a delta needs a position", f"position={' or position='.join(defined)}"))
    selected: list[tuple[Slot, SlotConfig]] = []
    unknown = [name for name in config.position.slots if name not in list(Slot)]
    if unknown:
        problems.append(
            ConfigError(
                f"position.slots=[{','.join(config.position.slots)}]",
                f"{in_words(unknown)} is no slot",
                "position=attn, position=ffn or position=both",
            )
        )
    for slot in (Slot(name) for name in config.position.slots if name not in unknown):
        chosen = method.attn if slot is Slot.ATTN else method.ffn
        if chosen is not None:
            selected.append((slot, chosen))
            continue
        why = f"the method puts nothing at {slot}; it is defined at {' and '.join(defined)}"
        other = method.attn or method.ffn
        if slot is Slot.FFN and other is not None and other.form in HEAD_LEVEL:
            why += f", because a {other.form} changes attention heads and an FFN has none"
        problems.append(
            DesignError(
                asked,
                why,
                f"position={defined[0]}, or a method that is defined at {slot}: {_ALTERNATIVES[slot]}",
            )
        )
    return selected


_ALTERNATIVES = {
    Slot.ATTN: "method=adapter, method=lora, method=parallel_adapter or method=prefix",
    Slot.FFN: "method=adapter, method=lora, method=parallel_adapter or method=mam",
}


def _part(
    config: RunConfig,
    slot: Slot,
    chosen: SlotConfig,
    architecture: Architecture,
    published: Architecture,
    problems: list[UserError],
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
    if len(problems) == before:  # known values can be idle
        problems += idle_options(
            config, chosen, slot, form=form, composition=composition, reparameterisation=reparameterisation
        )
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
        mlp_width=_mlp_width(architecture, published) if chosen.mlp_width is None else chosen.mlp_width,
        prefix_dropout=chosen.prefix_dropout,
        scaled_query=detail.scaled_query,
    )


def _mlp_width(architecture: Architecture, published: Architecture) -> int:
    """The paper's 800, on another backbone in proportion to the width: else the MLP would outgrow a small one."""
    return max(1, round(DEFAULT_MLP_WIDTH * architecture.d_model / published.d_model))


def _prompt(
    config: RunConfig, architecture: Architecture, published: Architecture, problems: list[UserError]
) -> PromptTuning:
    design = PromptTuning(length=config.method.length or 0)
    if config.budget.attn is not None or config.budget.ffn is not None:
        problems.append(
            ConfigError(
                f"method={config.method.name} with budget.attn or budget.ffn",
                "a prompt is in front of the encoder's input; it has no slots",
                "budget=bottleneck budget.bottleneck=200",
            )
        )
    return resolve_size(config, design, architecture, published, problems)


def _refuse_axes(config: RunConfig, axes: Sequence[str], problems: list[UserError]) -> None:
    chosen = {axis: getattr(config, axis).name for axis in axes}
    refused = [axis for axis in axes if chosen[axis] != "none"]
    given = [f"{axis}={chosen[axis]}" for axis in refused]
    sizes = {f"budget.{key}": getattr(config.budget, key) for key in ("percent", "bottleneck", "attn", "ffn")}
    values = {"composition.scale": config.composition.scale, **(sizes if "budget" in axes else {})}
    stray = [key for key, value in values.items() if value is not None]
    if stray:
        problems.append(
            ConfigError(
                f"method={config.method.name} {' '.join(f'{key}={number(values[key])}' for key in stray)}",
                f"{config.method.name} inserts no delta and would ignore {in_words(stray)}",
                f"method={config.method.name} without {in_words(stray)}",
            )
        )
    if given:
        problems.append(
            DesignError(
                f"method={config.method.name} {' '.join(given)}",
                f"{config.method.name} inserts no delta, so it has no {in_words(refused)}",
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
