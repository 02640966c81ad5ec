"""What a run would tune, without weights, data or network: the design on the meta device."""

import json
from typing import Any, cast

import torch
from transformers import (
    BartForConditionalGeneration,
    BertForSequenceClassification,
    MBartForConditionalGeneration,
    PretrainedConfig,
    PreTrainedModel,
    RobertaForSequenceClassification,
)

from unidelta.config.run_spec import RunSpec
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family
from unidelta.design.count import count
from unidelta.design.describe import describe
from unidelta.design.spec import Deltas
from unidelta.families.inject import inject
from unidelta.summary import coordinates, parameters, print_design

_CLASSES: dict[Family, type[PreTrainedModel]] = {
    Family.BART: BartForConditionalGeneration,
    Family.MBART: MBartForConditionalGeneration,
    Family.ROBERTA: RobertaForSequenceClassification,
    Family.BERT: BertForSequenceClassification,
}


def dry_run(spec: RunSpec) -> None:
    """The design on the meta device: no weights, no network; closed-form counts checked against the modules."""
    architecture = spec.backbone.architecture
    with torch.device("meta"):
        model = _CLASSES[architecture.family](_configuration(architecture))
    injection = inject(model, spec.design, generator=torch.Generator())
    counts = count(spec.design, architecture)
    built = (injection.n_trained, injection.n_stored)
    if built != (counts.trained, counts.stored):
        raise AssertionError(f"The modules have {built} parameters, the closed form {counts}.")
    print(print_design(spec))
    parts = spec.design.parts if isinstance(spec.design, Deltas) else ()
    bottlenecks = {str(part.slot): part.bottleneck for part in parts}
    last = {**coordinates(spec), "design": describe(spec.design), "bottlenecks": bottlenecks, **parameters(spec)}
    print(json.dumps(last, ensure_ascii=False))


def _configuration(architecture: Architecture) -> PretrainedConfig:
    """A transformers configuration of these sizes."""
    config_class = cast(type[PretrainedConfig], _CLASSES[architecture.family].config_class)
    sizes: dict[str, Any]
    if architecture.family.is_encoder_decoder:
        sizes = {"d_model": architecture.d_model}
        for side, layers in (("encoder", architecture.encoder_layers), ("decoder", architecture.decoder_layers)):
            sizes |= {f"{side}_layers": layers, f"{side}_ffn_dim": architecture.d_ffn}
            sizes |= {f"{side}_attention_heads": architecture.n_heads}
    else:
        sizes = {
            "hidden_size": architecture.d_model,
            "num_hidden_layers": architecture.encoder_layers,
            "num_attention_heads": architecture.n_heads,
            "intermediate_size": architecture.d_ffn,
            "type_vocab_size": architecture.type_vocab_size,
            "num_labels": architecture.n_labels,
        }
    sizes |= {"vocab_size": architecture.vocab_size, "max_position_embeddings": architecture.max_positions}
    return config_class(**sizes)
