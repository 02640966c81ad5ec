"""Whether a loaded model has the parameters that its config.json describes: tied ones once, none more, none less."""

import torch
from transformers import PreTrainedModel

from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import BackboneError


def check_parameters(model: PreTrainedModel, *, n_labels: int, asked: str) -> None:
    """Refuse a model whose embeddings came apart, or that is counted wrong.

    transformers leaves copies of one embedding apart where a checkpoint has different values for them: the result
    is a model that nobody trained, and larger than its configuration says.

    Args:
        model: as it was loaded.
        n_labels: of its classification head; 0 for none.
        asked: the words in which the checkpoint was asked for.

    Raises:
        BackboneError: embeddings came apart, or the model has another number of parameters.
    """
    with torch.device("meta"):
        described = type(model)(model.config)
    own = dict(model.named_parameters())
    facts = architecture_from_config(model.config.to_dict(), name=model.config.model_type, n_labels=n_labels)
    expected = {*dict(described.named_parameters()), *facts.family.untied(facts.config)}
    apart = sorted(own.keys() - expected)
    if apart:
        sources = described.all_tied_weights_keys
        words = [_difference(name, own[name], sources[name], model) if name in sources else name for name in apart]
        raise BackboneError(
            asked,
            f"its config.json ties these tensors to one, and their values differ: {'; '.join(words)}",
            "the checkpoint as it was published, or saved again with the copy that is right in place of all of them",
        )
    n = sum(parameter.numel() for parameter in own.values())
    if n != facts.n_parameters:
        why = f"the model has {n:,} parameters; by its config.json it should have {facts.n_parameters:,}"
        raise BackboneError(asked, why, "a checkpoint whose weights fit its config.json")


def _difference(name: str, tensor: torch.Tensor, source: str, model: PreTrainedModel) -> str:
    other = model.get_parameter(source)
    n = int((tensor != other).sum()) if tensor.shape == other.shape else tensor.numel()
    return f"{name} and {source} (in {n:,} of {tensor.numel():,})"
