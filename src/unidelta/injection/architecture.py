"""The architecture of a model or of its configuration: its sites, and how many parameters it has."""

from dataclasses import replace

from transformers import PretrainedConfig, PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config, known_family
from unidelta.errors import BackboneError, DesignError


def architecture_of(config: PretrainedConfig, *, name: str) -> Architecture:
    """The architecture of a configuration, of a decoder without a head; raises as `architecture_from_config`."""
    n_labels = 0 if known_family(config.model_type).kind == "decoder" else config.num_labels
    return architecture_from_config(config.to_dict(), name=name, n_labels=n_labels)


def architecture_of_model(model: PreTrainedModel) -> Architecture:
    """The architecture of a model, with its classification head where it has one; raises as `architecture_of`.

    Its size is the model's own: one without its language-model head, say, has fewer parameters than its configuration
    gives the usual class.
    """
    _check_is_model(model)
    config = model.config
    n_labels = config.num_labels if known_family(config.model_type).head_of(model) is not None else 0
    found = architecture_from_config(config.to_dict(), name=config.model_type, n_labels=n_labels)
    own = [parameter for name, parameter in model.named_parameters() if is_of_backbone(name)]
    if not all(parameter.is_floating_point() for parameter in own):
        return found  # quantised weights are packed, several to an element
    n_others = sum(parameter.numel() for parameter in own) - found.n_parameters
    surroundings = replace(found.surroundings, embeddings=found.surroundings.embeddings + n_others)
    return replace(found, surroundings=surroundings)


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
    """Refuse what has no configuration of transformers: a path, weights, a wrapper for several GPUs."""
    if isinstance(getattr(model, "config", None), PretrainedConfig):
        return
    instead = "a model: AutoModelForSeq2SeqLM.from_pretrained(…), say; method and options come after it"
    if isinstance(getattr(model, "module", None), PreTrainedModel):
        instead = "its `.module`, before it is wrapped"
    asked = f"deltas in {model!r}" if isinstance(model, str) else f"deltas in an object of {type(model).__name__}"
    raise BackboneError(asked, "it is not a model of transformers", instead)
