"""Put a design into a model: freeze the backbone, attach the deltas, say exactly what trains."""

import copy
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.output_capturing import _CAN_RECORD_REGISTRY

from unidelta.deltas.heads import HeadForm
from unidelta.deltas.prompt import Prompt
from unidelta.deltas.reparam import DirectPrefix, PrefixMLP, ReparametrisedPrefix
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Form, Init, Representation
from unidelta.design.rules import check
from unidelta.design.spec import BitFit, Deltas, DeltaSpec, Design, Frozen, FullFineTuning, PromptTuning
from unidelta.errors import CheckpointError, Problems
from unidelta.families.activations import Activations
from unidelta.families.architectures import ModelFamily, architecture_of, family_of
from unidelta.families.attention import ATTENTIONS
from unidelta.families.build import build_bottleneck, build_heads, build_low_rank, build_mlp
from unidelta.families.prefixes_once import use_prefixes_once
from unidelta.families.sites import attach

_INSIDE_ATTENTION = (Representation.HEADS, Representation.CONCAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A model with a design in it.

    Args:
        model: the model, changed in place.
        design: what was put in.
        trained: names of the parameters that train, in the model's order.
    """

    model: PreTrainedModel
    design: Design
    trained: tuple[str, ...]

    @property
    def n_trained(self) -> int:
        """Elements of all trained parameters."""
        return sum(parameter.numel() for _, parameter in self._trained_parameters())

    @property
    def n_stored(self) -> int:
        """Elements of what is kept for inference."""
        return sum(tensor.numel() for tensor in self.stored_state().values())

    def stored_state(self) -> dict[str, Tensor]:
        """What is kept for inference: the trained parameters, with prefixes in place of their MLPs."""
        modules = dict(self.model.named_modules())
        mlps = tuple(f"{name}." for name, module in modules.items() if isinstance(module, PrefixMLP))
        state = {name: p.detach() for name, p in self._trained_parameters() if not name.startswith(mlps)}
        for name, module in modules.items():
            if isinstance(module, HeadForm):
                key, value = module.prefix.fold()
                state |= {f"{name}.prefix.key": key.detach(), f"{name}.prefix.value": value.detach()}
        return state

    def _trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        parameters = dict(self.model.named_parameters())
        return [(name, parameters[name]) for name in self.trained if name in parameters]  # `fold` takes some away


def inject(
    model: PreTrainedModel, design: Design, *, generator: Generator, start: Activations | None = None
) -> Injection:
    """Put a design into a model, in place. Base weights keep their names and values.

    Args:
        model: a stock BART, mBART, RoBERTa or BERT; on the meta device nothing is allocated.
        design: what to tune.
        generator: a CPU generator, the source of randomness of the deltas' initialisation.
        start: what prefixes with `init=activations` start from; on the meta device it may be left out.

    Raises:
        Problems: if the design cannot be built on this architecture.
        CheckpointError: if deltas were put into the model before, it is of another architecture, or its kind of
            attention has no place for deltas at heads. In every case the model is as it was.
        ValueError: if a prefix starts from activations and `start` is missing or of another shape.
    """
    family = family_of(model.config)
    architecture = architecture_of(model.config, name=model.config.model_type)
    errors = check(design, architecture)
    if errors:
        raise Problems(errors)
    if any(type(module) in family.swap.values() for module in model.modules()):
        raise CheckpointError(
            "deltas in a model that has deltas already",
            "a design is put into a stock model, once",
            "load the backbone again, or put all deltas into one design",
        )
    _check_attention(model, design)
    _check_start(model, design, architecture, start)
    for parameter in model.parameters():
        parameter.requires_grad_(isinstance(design, FullFineTuning))
    backbone = {id(parameter) for parameter in model.parameters()}
    match design:
        case Deltas(parts=parts, trains_head=trains_head):
            with torch.device("meta" if model.device.type == "meta" else "cpu"):
                for part in parts:
                    _attach_part(model, part, family, architecture, generator, start)
            _train_head(model, family, trains_head)
        case PromptTuning(length=length):
            with torch.device("meta" if model.device.type == "meta" else "cpu"):
                _attach_prompt(model, Prompt(length, architecture.d_model, generator=generator), family)
        case BitFit(trains_head=trains_head):
            for module in model.modules():
                if isinstance(module, nn.Linear | nn.LayerNorm) and module.bias is not None:
                    module.bias.requires_grad_(True)
            _train_head(model, family, trains_head)
        case FullFineTuning() | Frozen():
            pass
    for parameter in model.parameters():
        if id(parameter) not in backbone:
            parameter.data = parameter.data.to(device=model.device, dtype=model.dtype)
    for module in model.modules():
        if isinstance(module, PrefixMLP) and module.start is not None:
            module.start = module.start.to(device=model.device, dtype=model.dtype)
    model.train(model.training)  # new modules follow the model's mode
    return Injection(
        model=model,
        design=design,
        trained=tuple(name for name, parameter in model.named_parameters() if parameter.requires_grad),
    )


def _attach_part(
    model: PreTrainedModel,
    spec: DeltaSpec,
    family: ModelFamily,
    architecture: Architecture,
    generator: Generator,
    start: Activations | None,
) -> None:
    sites = family.attentions(model) if spec.slot == "attn" else family.ffns(model)
    if spec.representation in _INSIDE_ATTENTION:
        _use_delta_attention(model)
    if spec.init is not Init.ACTIVATIONS:
        start = None
    mlps: dict[str, PrefixMLP] = {}
    for site in sites:
        if spec.form is Form.LOW_RANK:
            for target in spec.targets:
                delta = build_low_rank(spec, architecture, site.linears[target], generator)
                attach(site.linears[target], spec.representation, delta, family.swap)
            continue
        if spec.form is Form.BOTTLENECK:
            delta = build_bottleneck(spec, architecture, site, generator)
        else:
            if spec.has_mlp and site.kind not in mlps:
                mlps[site.kind] = build_mlp(spec, architecture, site.kind, generator, start)
                if not any(isinstance(child, PrefixMLP) for child in site.stack.children()):
                    use_prefixes_once(site.stack)
                site.stack.add_module(f"prefix_mlp_{site.kind}", mlps[site.kind])
            delta = build_heads(spec, architecture, site, mlps.get(site.kind), generator, start)
        host = site.hosts[spec.representation]
        attach(host, spec.representation, delta, family.swap)
        if site.kind == "ffn" and architecture.family.is_pre_norm:
            host.source = spec.source


def _check_attention(model: PreTrainedModel, design: Design) -> None:
    base = model.config._attn_implementation
    is_inside = isinstance(design, Deltas) and any(part.representation in _INSIDE_ATTENTION for part in design.parts)
    if is_inside and base not in ATTENTIONS:
        raise CheckpointError(
            f"deltas at attention heads with attn_implementation={base}",
            f"the masks of a prefix are built for {' and '.join(ATTENTIONS)} only",
            "attn_implementation=sdpa",
        )


def _check_start(model: PreTrainedModel, design: Design, architecture: Architecture, start: Activations | None) -> None:
    parts = design.parts if isinstance(design, Deltas) else ()
    for part in parts:
        if part.init is not Init.ACTIVATIONS or model.device.type == "meta":
            continue
        if start is None:
            raise ValueError("A prefix that starts from activations needs them: `unidelta.families.activations`.")
        shape = (part.bottleneck, architecture.d_model)
        if any(tuple(vectors.shape) != shape for pair in start.values() for vectors in pair):
            raise ValueError(f"A prefix of this design starts from keys and values of shape {shape}.")


def _use_delta_attention(model: PreTrainedModel) -> None:
    shared = model.config
    own = copy.deepcopy(shared)  # the choice of attention is kept in the configuration, which others may share
    for module in model.modules():
        if vars(module).get("config") is shared:
            module.config = own
    model.set_attn_implementation(ATTENTIONS[shared._attn_implementation][0])


def _attach_prompt(model: PreTrainedModel, prompt: Prompt, family: ModelFamily) -> None:
    encoder, decoder = model.get_encoder(), model.get_decoder()
    for host in (encoder, decoder, encoder.embed_positions):
        host.__class__ = family.swap[type(host)]
    for stack in (encoder, decoder):  # transformers looks up by class what `output_hidden_states` records
        _CAN_RECORD_REGISTRY[stack] = stack._can_record_outputs
    encoder.prompt = prompt
    decoder.prompt_length = encoder.embed_positions.prompt_length = prompt.length


def _train_head(model: PreTrainedModel, family: ModelFamily, trains_head: bool) -> None:
    head = family.head(model)
    if trains_head and head is not None:
        for parameter in head.parameters():
            parameter.requires_grad_(True)


def fold(injection: Injection) -> None:
    """Replace every MLP by the prefixes it makes, in place: for inference, after training.

    The function computed is the same; the model no longer trains its prefixes' MLP.
    """
    for module in list(injection.model.modules()):
        if isinstance(module, HeadForm) and isinstance(module.prefix, ReparametrisedPrefix):
            key, value = (p.detach() for p in module.prefix.fold())
            prefix = DirectPrefix(*key.shape, generator=torch.Generator())
            prefix.key.data, prefix.value.data = key.clone(), value.clone()
            module.prefix = prefix.requires_grad_(False)
    for module in list(injection.model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, PrefixMLP):
                delattr(module, name)
