"""Inject a design into a model: freeze the backbone, attach the deltas, mark exactly what trains."""

import copy
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.deltas.compose import ComposeWeights
from unidelta.deltas.delta import Delta, WeightDelta
from unidelta.deltas.frozen_map import FrozenMap
from unidelta.deltas.prompt import Prompt
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, Representation, Rotation, Slot, Source, TextStart
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS, Materials
from unidelta.design.rules import check
from unidelta.design.site import INNER, Place, SiteShape, places
from unidelta.design.spec import (
    BitFit,
    Deltas,
    DeltaSpec,
    Design,
    Frozen,
    FullFineTuning,
    LinearProbe,
    PromptTuning,
    parts_of,
)
from unidelta.design.tokens import ALL
from unidelta.errors import DesignError, Problems
from unidelta.hosts.attention import name_of
from unidelta.hosts.encoder_decoder import attach_prompt
from unidelta.hosts.linear import FusedHost, LinearHost, weight_of
from unidelta.hosts.output import KeepingNorm
from unidelta.hosts.prompted_decoder import attach_prompt_to_text
from unidelta.hosts.site import Host, Hosting, Site, attach
from unidelta.hosts.stack import FIRST_POSITION, IS_DECODER, SKIPS_PADDING, StackHost
from unidelta.hosts.tokens import TOKENS
from unidelta.injection.architecture import architecture_of_model, is_bias
from unidelta.injection.check_model import INSIDE_ATTENTION, check_model, sites_of
from unidelta.injection.counted import counted
from unidelta.injection.injection import Injection, take_out
from unidelta.injection.saving_backbone import guard_saving
from unidelta.injection.switching_attention import base_of, guard_attention, set_attention

Activations = Mapping[tuple[str, int], tuple[Tensor, Tensor]]
"""P_k, P_v to start from, `(L, width of keys or values)`, by kind of attention and layer (`activations`)."""


def inject(
    model: PreTrainedModel, design: Design, *, generator: torch.Generator, start: Activations | None = None
) -> Injection:
    """Inject a design into a model, in place. Base weights keep their names and values.

    Args:
        model: a stock model of a registered architecture; on the meta device nothing is allocated.
        design: what to tune.
        generator: a CPU generator, the source of randomness of the deltas' initialisation.
        start: initial values of prefixes with `init=activations`; may be omitted on the meta device.

    Raises:
        BackboneError: its architecture is not supported, or it is only a part of such a model.
        Problems: the design cannot be built on this architecture.
        MiscountedError: a form or composition counts other parameters than it has.
        DesignError: the model already has deltas, or its attention implementation does not support deltas at heads. In
            every case the model is unchanged.
        ValueError: a prefix starts from activations and `start` is missing or has a different shape.
    """
    architecture = architecture_of_model(model)
    errors = check(design, architecture)
    if errors:
        raise Problems(errors)
    if any(isinstance(module, Host) for module in model.modules()) or getattr(model, "unidelta", None) is not None:
        raise DesignError(
            "deltas in a model that has deltas already",
            "a design goes into a model without deltas",
            "deltas.remove() first, or all deltas in one design",
        )
    sites = sites_of(model, architecture)
    check_model(model, design)
    _check_start(model, design, architecture, start)
    requires_grad = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    fixed = set(map(id, _fixed(model, architecture)))
    for parameter in model.parameters():
        parameter.requires_grad_(isinstance(design, FullFineTuning) and id(parameter) not in fixed)
    try:
        with torch.device("meta" if model.device.type == "meta" else "cpu"):
            _attach_design(model, design, architecture, sites, generator, start)
    except BaseException:
        take_out(model, requires_grad)
        raise
    model.train(model.training)  # new modules follow the model's mode
    guard_saving(model)
    return Injection(model=model, design=design, requires_grad=requires_grad)


def _fixed(model: PreTrainedModel, architecture: Architecture) -> Iterator[nn.Parameter]:
    """Positions that are computed, which full fine-tuning does not train either."""
    positions = architecture.family.encoder_positions
    if architecture.surroundings.fixed and positions is not None:
        for stack in (model.get_encoder(), model.get_decoder()):
            yield from stack.get_submodule(positions).parameters()


def _attach_design(
    model: PreTrainedModel,
    design: Design,
    architecture: Architecture,
    sites: Sequence[Site],
    generator: torch.Generator,
    start: Activations | None,
) -> None:
    match design:
        case Deltas(parts=parts):
            pairs = list(zip(architecture.sites, sites, strict=True))
            for part in parts:
                own_start = start if part.init is Init.ACTIVATIONS else None
                chosen = set(map(id, architecture.sites_of(part)))
                with counted(model, part, architecture):
                    _attach_part(model, part, [pair for pair in pairs if id(pair[0]) in chosen], generator, own_start)
        case PromptTuning(length=length):
            prompt = Prompt(length, architecture.width, generator=generator)
            prompt = prompt.to(device=model.device, dtype=model.dtype)
            family = architecture.family
            if family.is_encoder_decoder:
                attach_prompt(model, prompt, positions=family.encoder_positions, scale=family.encoder_scale)
            else:
                attach_prompt_to_text(model, prompt)
        case BitFit():
            for name, parameter in model.named_parameters():
                if is_bias(name):
                    parameter.requires_grad_(True)
        case LinearProbe() | FullFineTuning() | Frozen():
            pass
    match design:
        case LinearProbe() | Deltas(trains_head=True) | PromptTuning(trains_head=True) | BitFit(trains_head=True):
            if (head := architecture.family.head_of(model)) is not None:
                head.requires_grad_(True)
        case _:
            pass


def _attach_part(
    model: PreTrainedModel,
    spec: DeltaSpec,
    sites: Sequence[tuple[SiteShape, Site]],
    generator: torch.Generator,
    start: Activations | None,
) -> None:
    if spec.representation in INSIDE_ATTENTION:
        _use_delta_attention(model)
    form, shared = FORMS[spec.form], dict[str, nn.Module | None]()
    for shape, site in sites:
        group = form.shares_over(spec, shape)
        if group not in shared:  # one shared module per group, made before the first delta of that group
            of_group = [each for each, _ in sites if form.shares_over(spec, each) == group]
            rows = None if start is None else _side_by_side(start, of_group)
            shared[group] = form.shared(spec, of_group, generator, rows)
            if (network := shared[group]) is not None:
                hosting = Hosting(module=site.stack, host=StackHost)
                attach(hosting, group, _like(network, site.stack, model))
        for place in places(spec, shape):
            materials = Materials(
                generator=generator,
                dropout=site.dropout,
                shared=shared[group],
                start=None if start is None else start[site.kind, site.layer],
                linears={role: _frozen(site, role) for role in site.linears},
                key_norm=site.key_norm,
            )
            delta = _delta(spec, place, materials)
            hosting, key = hosting_of(spec, place, site)
            attach(hosting, key, _like(delta, hosting.module, model))
        if spec.source is Source.RESIDUAL_STREAM and site.norm is not None:
            keeping = {"keeps": True}  # not empty, or `fold` would take the host without deltas out
            attach(Hosting(module=site.norm, host=KeepingNorm, settings=keeping), "", None)
        if spec.text_start is TextStart.LENGTH:
            positions = {FIRST_POSITION: spec.bottleneck}
            attach(Hosting(module=site.stack, host=StackHost, settings=positions), "", None)
        if spec.representation is Representation.HEADS and "rotary" in site.hosts[spec.representation].settings:
            attach(Hosting(module=site.stack, host=StackHost, settings={SKIPS_PADDING: True}), "", None)
        if spec.tokens != ALL:
            _number_tokens(site, model)


def _number_tokens(site: Site, model: PreTrainedModel) -> None:
    """Pass layers the positions of their tokens. A decoder that only classifies reads nothing but a source."""
    settings = {IS_DECODER: site.kind.startswith("decoder_") and model.can_generate()}
    attach(Hosting(module=site.reader or site.stack, host=StackHost, settings=settings), "", None)


def _frozen(site: Site, role: str) -> FrozenMap:
    module = site.linears[role]
    features = site.columns.get(role, (0, len(weight_of(module))))
    return FrozenMap(module=module, weight_of=weight_of, features=features)


def _delta(spec: DeltaSpec, place: Place, materials: Materials) -> Delta | WeightDelta:
    form = FORMS[spec.form].build(spec, place, materials)
    compose = COMPOSITIONS[spec.composition].build(spec, place, materials)
    if isinstance(compose, ComposeWeights):
        return WeightDelta(form, compose)
    return Delta(form, compose, is_parallel=spec.insertion is Insertion.PARALLEL)


def hosting_of(spec: DeltaSpec, place: Place, site: Site) -> tuple[Hosting, str]:
    """The module that holds a delta, and the delta's name there."""
    if place.target == INNER:
        return Hosting(module=site.linears["down"], host=LinearHost), INNER
    if place.target:
        module = site.linears[place.target]
        columns = {role: own for role, own in site.columns.items() if site.linears[role] is module}
        if columns:
            return Hosting(module=module, host=FusedHost, settings={"columns": columns}), place.target
        return Hosting(module=module, host=LinearHost), Representation.LINEAR
    hosting = site.hosts[spec.representation]
    settings = dict(hosting.settings)
    if place.site.slot is Slot.FFN:
        settings["source"] = spec.source
        if spec.source is Source.RESIDUAL_STREAM and site.norm is not None:
            settings["norm"] = site.norm
    if spec.tokens != ALL:
        settings[TOKENS] = spec.tokens
    if spec.rotation is Rotation.BEFORE:
        settings["prefix_start"] = 0 if spec.text_start is TextStart.LENGTH else -spec.bottleneck
    return Hosting(module=hosting.module, host=hosting.host, settings=settings), spec.representation


def _like(new: nn.Module, host: nn.Module, model: PreTrainedModel) -> nn.Module:
    """A new module on the device of its host and in the model's precision."""
    return new.to(device=next(host.parameters()).device, dtype=model.dtype)


def _side_by_side(start: Activations, sites: Sequence[SiteShape]) -> Tensor:
    return torch.cat([vectors for site in sites for vectors in start[site.kind, site.layer]], dim=1)


def _check_start(model: PreTrainedModel, design: Design, architecture: Architecture, start: Activations | None) -> None:
    for part in parts_of(design):
        if part.init is not Init.ACTIVATIONS or model.device.type == "meta":
            continue
        if start is None:
            raise ValueError("A prefix that starts from activations needs them: `unidelta.injection.activations`.")
        for site in architecture.at(Slot.ATTN):
            shapes = [(part.bottleneck, site.linears[role].d_out) for role in ("key", "value")]
            if [tuple(vectors.shape) for vectors in start[site.kind, site.layer]] != shapes:
                raise ValueError(f"A prefix of this design starts from keys and values of shapes {shapes}.")


def _use_delta_attention(model: PreTrainedModel) -> None:
    shared = model.config
    own = copy.deepcopy(shared)  # the configuration, which other models may share, holds the choice of attention
    for module in model.modules():
        if vars(module).get("config") is shared:
            module.config = own
    set_attention(model, name_of(base_of(shared._attn_implementation)))
    guard_attention(model)
