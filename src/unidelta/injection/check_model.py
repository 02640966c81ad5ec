"""What a model has to be for a design, beyond its architecture: whole, in memory, with an attention that fits."""

from typing import Any

from transformers import PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Representation, Rotation
from unidelta.design.spec import Deltas, Design, parts_of
from unidelta.errors import BackboneError, DesignError, SavedDeltasError
from unidelta.hosts.attention import BASES
from unidelta.hosts.site import Site
from unidelta.injection.switching_attention import base_of

INSIDE_ATTENTION = (Representation.HEADS, Representation.CONCAT)
"""What a delta can change in the middle of an attention, which then has to be `delta_attention`."""


def sites_of(model: PreTrainedModel, architecture: Architecture) -> list[Site]:
    """The sites of a model, in the order of its architecture's.

    Raises:
        BackboneError: it is a part of a model, such as an encoder or a decoder alone.
    """
    try:
        found = architecture.family.hosts(model)
        there = f"{len(found)} of {len(architecture.sites)} attentions and FFNs are there"
    except AttributeError as error:
        found, there = [], str(error)
    if len(found) == len(architecture.sites):
        return found
    raise BackboneError(
        f"deltas in a {type(model).__name__}",
        f"it is not laid out like the other models of {architecture.family.name}: {there}",
        "the whole model, as AutoModel or AutoModelForSeq2SeqLM loads it",
    )


def check_model(model: PreTrainedModel, design: Design) -> None:
    """Refuse a model whose weights or whose attention are not as a design needs them; the errors of `inject`."""
    _check_in_memory(model)
    _check_attention(model, design)
    _check_rotation(model, design)


def _check_in_memory(model: PreTrainedModel) -> None:
    """Refuse weights that accelerate reads from the disk or another memory when they are needed."""
    on_meta = _on_meta(model)
    if on_meta and len(on_meta) < len(list(model.parameters())):
        raise BackboneError(
            f"deltas in a {type(model).__name__} that is partly offloaded",
            f"weights of {len(on_meta)} modules are not in memory, such as {on_meta[0]}",
            "a device_map that fits into memory, a smaller precision, or quantised weights",
        )


def check_values(model: PreTrainedModel, asked: str) -> None:
    """Refuse to read or write the weights of a model that has none, or not all: `inject` needs only their shapes.

    Raises:
        SavedDeltasError: weights are on the meta device.
    """
    if on_meta := _on_meta(model):
        why = f"{len(on_meta)} weights of the {type(model).__name__} have no values (device meta), such as {on_meta[0]}"
        raise SavedDeltasError(asked, why, "a model from from_pretrained(…), whole and in memory")


def _on_meta(model: PreTrainedModel) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.device.type == "meta"]


def _check_attention(model: PreTrainedModel, design: Design) -> None:
    base = base_of(model.config._attn_implementation)
    is_inside = isinstance(design, Deltas) and any(part.representation in INSIDE_ATTENTION for part in design.parts)
    if is_inside and base not in BASES:
        raise DesignError(
            f"deltas at attention heads with attn_implementation={base}",
            f"the masks of a prefix are built for {' and '.join(BASES)} only",
            "attn_implementation=sdpa",
        )


def _check_rotation(model: PreTrainedModel, design: Design) -> None:
    """Refuse to rotate P_k by frequencies that change with the length of the text that happens to be read."""
    if all(part.rotation is Rotation.AFTER for part in parts_of(design)):
        return
    found: dict[str, Any] = model.config.rope_parameters
    each = [found] if "rope_type" in found else [own for own in found.values() if own is not None]
    changing = sorted({own["rope_type"] for own in each} & {"dynamic", "longrope"})
    if changing:
        raise DesignError(
            f"rotation=before in a model with rope_type={', '.join(changing)}",
            "its rotation changes with the length of the text, and a prefix is one for all texts",
            "rotation=after, or a checkpoint whose rotation is fixed",
        )
