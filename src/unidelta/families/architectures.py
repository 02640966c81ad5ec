"""One architecture's names for the places of the paper: where its attentions, FFNs, head and embeddings are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family, Representation
from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import CheckpointError
from unidelta.families import bart, bert, mbart
from unidelta.families.linear import DeltaLinear
from unidelta.families.sites import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """How one architecture is read.

    Args:
        family: its name.
        swap: stock class to delta class.
        attentions: the attention sub-layers of a model, in the order of the forward pass.
        ffns: the FFN sub-layers of a model.
        head: the classification head of a model, None for sequence-to-sequence models.
    """

    family: Family
    swap: Mapping[type, type]
    attentions: Callable[[PreTrainedModel], list[Site]]
    ffns: Callable[[PreTrainedModel], list[Site]]
    head: Callable[[PreTrainedModel], nn.Module | None]


def family_of(config: PretrainedConfig) -> ModelFamily:
    """The family of a transformers configuration.

    Raises:
        CheckpointError: if the architecture is none that deltas can be put into.
    """
    if config.model_type in FAMILIES:
        return FAMILIES[config.model_type]
    raise CheckpointError(
        f"a backbone of type `{config.model_type}`",
        f"deltas can be put into {', '.join(FAMILIES)} only",
        "backbone.checkpoint=DIR with one of these architectures",
    )


def architecture_of(config: PretrainedConfig, *, name: str) -> Architecture:
    """The facts of a backbone from its transformers configuration; raises as `architecture_from_config`."""
    return architecture_from_config(config.to_dict(), name=name, n_labels=config.num_labels)


def _seq2seq_attentions(model: PreTrainedModel) -> list[Site]:
    encoder, decoder = model.get_encoder(), model.get_decoder()
    found = [(layer.self_attn, "encoder_self", i, encoder) for i, layer in enumerate(encoder.layers)]
    found += [(layer.self_attn, "decoder_self", i, decoder) for i, layer in enumerate(decoder.layers)]
    found += [(layer.encoder_attn, "decoder_cross", i, decoder) for i, layer in enumerate(decoder.layers)]
    return [
        Site(
            hosts=dict.fromkeys((Representation.HEADS, Representation.CONCAT, Representation.SUBLAYER), attention),
            linears={
                "query": attention.q_proj,
                "key": attention.k_proj,
                "value": attention.v_proj,
                "output": attention.out_proj,
            },
            dropout=attention.dropout,
            kind=kind,
            layer=i,
            stack=stack,
        )
        for attention, kind, i, stack in found
    ]


def _seq2seq_ffns(model: PreTrainedModel) -> list[Site]:
    return [
        Site(
            hosts=dict.fromkeys((Representation.SUBLAYER, Representation.RESIDUAL, Representation.LAYER), layer),
            linears={"up": layer.fc1, "down": layer.fc2},
            dropout=layer.dropout,
            kind="ffn",
            layer=i,
            stack=stack,
        )
        for stack in (model.get_encoder(), model.get_decoder())
        for i, layer in enumerate(stack.layers)
    ]


def _encoder_attentions(model: PreTrainedModel) -> list[Site]:
    stack = model.base_model.encoder
    return [
        Site(
            hosts={
                Representation.HEADS: layer.attention.self,
                Representation.CONCAT: layer.attention.self,
                Representation.SUBLAYER: layer.attention.output,
            },
            linears={
                "query": layer.attention.self.query,
                "key": layer.attention.self.key,
                "value": layer.attention.self.value,
                "output": layer.attention.output.dense,
            },
            dropout=layer.attention.self.dropout.p,
            kind="encoder_self",
            layer=i,
            stack=stack,
        )
        for i, layer in enumerate(stack.layer)
    ]


def _encoder_ffns(model: PreTrainedModel) -> list[Site]:
    stack = model.base_model.encoder
    return [
        Site(
            hosts=dict.fromkeys((Representation.SUBLAYER, Representation.RESIDUAL, Representation.LAYER), layer.output),
            linears={"up": layer.intermediate.dense, "down": layer.output.dense},
            dropout=layer.output.dropout.p,
            kind="ffn",
            layer=i,
            stack=stack,
        )
        for i, layer in enumerate(stack.layer)
    ]


def _no_head(model: PreTrainedModel) -> None:
    return None


def _classifier(model: PreTrainedModel) -> nn.Module:
    return model.classifier


_LINEAR = {nn.Linear: DeltaLinear}
_SEQ2SEQ = {"attentions": _seq2seq_attentions, "ffns": _seq2seq_ffns, "head": _no_head}
_ENCODER = {"attentions": _encoder_attentions, "ffns": _encoder_ffns, "head": _classifier}
FAMILIES = {
    "bart": ModelFamily(family=Family.BART, swap={**bart.SWAP, **_LINEAR}, **_SEQ2SEQ),
    "mbart": ModelFamily(family=Family.MBART, swap={**mbart.SWAP, **_LINEAR}, **_SEQ2SEQ),
    "roberta": ModelFamily(family=Family.ROBERTA, swap={**bert.SWAP, **_LINEAR}, **_ENCODER),
    "bert": ModelFamily(family=Family.BERT, swap={**bert.SWAP, **_LINEAR}, **_ENCODER),
}
