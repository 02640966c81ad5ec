"""The architecture of a model or of its configuration: its sites, and how many parameters it has."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config, known_family
from unidelta.design.site import LinearShape
from unidelta.errors import BackboneError, DesignError


def architecture_of(config: PretrainedConfig, *, name: str) -> Architecture:
    """The architecture of a configuration, of a decoder without a head; raises as `architecture_from_config`."""
    n_labels = 0 if known_family(config.model_type).kind == "decoder" else config.num_labels
    return architecture_from_config(config.to_dict(), name=name, n_labels=n_labels)


def architecture_of_model(model: PreTrainedModel) -> Architecture:
    """The architecture of a model, with its classification head where it has one; raises as `architecture_of`.

    Its size, its biases and its head are the model's own: one without its language-model head, say, or with a head for
    another task, has other parameters than its configuration gives the usual class.
    """
    _check_is_model(model)
    config = model.config
    head = known_family(config.model_type).head_of(model)
    n_labels = 0 if head is None else config.num_labels
    found = architecture_from_config(config.to_dict(), name=config.model_type, n_labels=n_labels)
    own = {name: parameter for name, parameter in model.named_parameters() if is_of_backbone(name)}
    found = _changed(found, head=() if head is None else tuple(_maps_of(head)))
    n_biases = sum(parameter.numel() for name, parameter in own.items() if is_bias(name))
    found = _changed(found, other_biases=n_biases - found.n_biases)
    if not all(parameter.is_floating_point() for parameter in own.values()):
        return found  # quantised weights are packed, several to an element
    n_others = sum(parameter.numel() for parameter in own.values()) - found.n_parameters
    return _changed(found, embeddings=found.surroundings.embeddings + n_others)


def _changed(architecture: Architecture, **changes: Any) -> Architecture:
    return replace(architecture, surroundings=replace(architecture.surroundings, **changes))


def _maps_of(head: nn.Module) -> Iterator[LinearShape]:
    """The maps of a head; what else it has counts as maps of one feature, a norm's weight and bias for example."""
    for module in head.modules():
        if isinstance(module, nn.Linear):
            yield LinearShape(d_in=module.in_features, d_out=module.out_features, bias=module.bias is not None)
            continue
        for name, parameter in module.named_parameters(recurse=False):
            yield LinearShape(d_in=0 if is_bias(name) else 1, d_out=parameter.numel(), bias=is_bias(name))


def is_bias(name: str) -> bool:
    """Whether a parameter is a bias, which BitFit trains."""
    return name.rpartition(".")[2] == "bias"


def is_of_backbone(name: str) -> bool:
    """Whether a parameter is the backbone's own: a host keeps those of its deltas below its attribute `deltas`."""
    return "deltas" not in name.split(".")


def check_head(model: PreTrainedModel, architecture: Architecture, head: str | None) -> None:
    """Refuse to train a head that is not known as one: it would stay as it was drawn.

    Raises:
        DesignError: the model has no classification head of its architecture.
    """
    if head == "trained" and architecture.family.head_of(model) is None:
        name = architecture.family.head
        known = f"the one of a {architecture.family.name} is `{name}`" if name else "its architecture has none"
        raise DesignError(
            f'head="trained" in a {type(model).__name__}',
            f"no classification head is known in it: {known}",
            "inject without head, then model.HEAD.requires_grad_(True); deltas.save keeps what is trained",
        )


def _check_is_model(model: object) -> None:
    """Refuse what has no configuration of transformers, or lends one: a path, weights, a wrapper, a compiled model."""
    is_compiled = isinstance(getattr(model, "_orig_mod", None), PreTrainedModel)
    if isinstance(getattr(model, "config", None), PretrainedConfig) and not is_compiled:
        return
    instead = "a model: AutoModelForSeq2SeqLM.from_pretrained(…), say; method and options come after it"
    if isinstance(getattr(model, "module", None), PreTrainedModel):
        instead = "its `.module`, before it is wrapped"
    if is_compiled:
        instead = "the model itself, and then torch.compile(model)"
    asked = f"deltas in {model!r}" if isinstance(model, str) else f"deltas in an object of {type(model).__name__}"
    raise BackboneError(asked, "it is not a model of transformers", instead)
