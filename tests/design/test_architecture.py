"""Closed-form sizes of backbones against real transformers models, on the meta device."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    MBartConfig,
    MBartForConditionalGeneration,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Family, Slot

MODELS = {
    Family.BART: (BartConfig, BartForConditionalGeneration),
    Family.MBART: (MBartConfig, MBartForConditionalGeneration),
    Family.ROBERTA: (RobertaConfig, RobertaForSequenceClassification),
    Family.BERT: (BertConfig, BertForSequenceClassification),
}


def real_model(a: Architecture):
    config_class, model_class = MODELS[a.family]
    if a.family in (Family.BART, Family.MBART):
        sizes = {
            "d_model": a.d_model,
            "encoder_layers": a.encoder_layers,
            "decoder_layers": a.decoder_layers,
            "encoder_ffn_dim": a.d_ffn,
            "decoder_ffn_dim": a.d_ffn,
            "encoder_attention_heads": a.n_heads,
            "decoder_attention_heads": a.n_heads,
        }
    else:
        sizes = {
            "hidden_size": a.d_model,
            "num_hidden_layers": a.encoder_layers,
            "intermediate_size": a.d_ffn,
            "num_attention_heads": a.n_heads,
            "type_vocab_size": a.type_vocab_size,
            "num_labels": a.n_labels,
        }
    config = config_class(vocab_size=a.vocab_size, max_position_embeddings=a.max_positions, **sizes)
    with torch.device("meta"):
        return model_class(config)


def odd(family: Family) -> Architecture:
    """Sizes that share no factors, and stacks of different depth."""
    is_seq2seq = family in (Family.BART, Family.MBART)
    return Architecture(
        family=family,
        name="odd",
        vocab_size=37,
        encoder_layers=3,
        decoder_layers=2 if is_seq2seq else 0,
        d_model=10,
        d_ffn=23,
        n_heads=5,
        max_positions=19,
        type_vocab_size=0 if is_seq2seq else 3,
        n_labels=0 if is_seq2seq else 7,
    )


@pytest.fixture(
    params=["bart_large", "mbart_large", "roberta_base", "roberta_base_2", "bert_base", *(f"odd_{f}" for f in Family)]
)
def architecture(request) -> Architecture:
    if request.param.startswith("odd_"):
        return odd(Family(request.param.removeprefix("odd_")))
    if request.param == "roberta_base_2":
        return replace(request.getfixturevalue("roberta_base"), n_labels=2)
    return request.getfixturevalue(request.param)


def test_parameters_biases_and_head_are_those_of_the_real_model(architecture):
    named = dict(real_model(architecture).named_parameters())
    sizes = {name: parameter.numel() for name, parameter in named.items()}
    assert architecture.n_parameters == sum(sizes.values())
    assert architecture.n_biases == sum(n for name, n in sizes.items() if name.endswith("bias"))
    head = {name: n for name, n in sizes.items() if name.startswith("classifier")}
    assert architecture.n_head_weights == sum(n for name, n in head.items() if name.endswith("weight"))
    assert architecture.n_head_biases == sum(n for name, n in head.items() if name.endswith("bias"))


def test_sub_layers_are_those_of_the_real_model(architecture):
    modules = [type(module).__name__ for module in real_model(architecture).modules()]
    attentions = sum(
        name in ("BartAttention", "MBartAttention", "RobertaAttention", "BertAttention") for name in modules
    )
    layers = sum(name.endswith("Layer") for name in modules)
    assert architecture.n_attentions == architecture.n_sites(Slot.ATTN) == attentions
    assert architecture.n_ffns == architecture.n_sites(Slot.FFN) == layers
    assert sum(architecture.attention_kinds.values()) == attentions


def test_the_published_backbones_have_the_published_sizes(bart_large, mbart_large, roberta_base):
    # the authors' modules, counted: 406,291,456, 610,851,840 and 124,647,939 (three labels), 124,647,170 (two)
    assert bart_large.n_parameters == 406_291_456
    assert mbart_large.n_parameters == 610_851_840
    assert roberta_base.n_parameters == 124_647_939
    assert replace(roberta_base, n_labels=2).n_parameters == 124_647_170
    assert (bart_large.n_attentions, bart_large.n_ffns) == (36, 24)
    assert (roberta_base.n_attentions, roberta_base.n_ffns) == (12, 12)


@pytest.mark.parametrize(
    ("family", "is_encoder_decoder", "is_pre_norm"),
    [("bart", True, False), ("mbart", True, True), ("roberta", False, False), ("bert", False, False)],
)
def test_families_know_their_shape(family, is_encoder_decoder, is_pre_norm):
    assert (Family(family).is_encoder_decoder, Family(family).is_pre_norm) == (is_encoder_decoder, is_pre_norm)
