"""Closed-form sizes of backbones against real transformers models, on the meta device."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.design.published import stated_architecture
from unidelta.injection.inject import architecture_of_model

LOADERS = {
    "encoder-decoder": AutoModelForSeq2SeqLM,
    "encoder": AutoModelForSequenceClassification,
    "decoder": AutoModelForCausalLM,
}
# Sizes that share no factors, stacks of different depth, and for Llama heads that are not the model's width together.
SEQ2SEQ = {
    **{"vocab_size": 37, "encoder_layers": 3, "decoder_layers": 2, "d_model": 10, "max_position_embeddings": 19},
    **{"encoder_ffn_dim": 23, "decoder_ffn_dim": 23, "encoder_attention_heads": 5, "decoder_attention_heads": 5},
}
ENCODER = {
    **{"vocab_size": 37, "num_hidden_layers": 3, "hidden_size": 10, "intermediate_size": 23},
    **{"num_attention_heads": 5, "max_position_embeddings": 19, "type_vocab_size": 3},
}
LLAMA = {
    **{"vocab_size": 37, "num_hidden_layers": 3, "hidden_size": 12, "intermediate_size": 23, "head_dim": 6},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 19},
}
ODD = {
    "bart": SEQ2SEQ,
    "mbart": SEQ2SEQ,
    "roberta": ENCODER,
    "bert": ENCODER,
    "llama": LLAMA,
    "llama, biases": {**LLAMA, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
}


def real_model(architecture: Architecture) -> PreTrainedModel:
    facts = dict(architecture.config)
    labels = {"num_labels": architecture.n_labels} if architecture.n_labels else {}
    config = AutoConfig.for_model(facts.pop("model_type"), **facts, **labels)
    loader = AutoModelForSequenceClassification if architecture.n_labels else LOADERS[architecture.family.kind]
    with torch.device("meta"):
        return loader.from_config(config)


def odd(name: str) -> Architecture:
    return architecture_from_config({"model_type": name.split(",")[0], **ODD[name]}, name="odd", n_labels=7)


@pytest.fixture(
    params=[
        *("bart_large", "mbart_large", "roberta_base", "roberta_base_2", "bert_base", "llama"),
        *(f"odd {name}" for name in ODD),
    ]
)
def architecture(request) -> Architecture:
    if request.param.startswith("odd "):
        return odd(request.param.removeprefix("odd "))
    if request.param == "llama":
        return stated_architecture("llama", n_labels=0)
    if request.param == "roberta_base_2":
        three = request.getfixturevalue("roberta_base")
        return architecture_from_config(three.config, name="two labels", n_labels=2)
    return request.getfixturevalue(request.param)


def test_parameters_biases_and_head_are_those_of_the_real_model(architecture):
    named = dict(real_model(architecture).named_parameters())
    sizes = {name: parameter.numel() for name, parameter in named.items()}
    assert architecture.n_parameters == sum(sizes.values())
    assert architecture.n_biases == sum(n for name, n in sizes.items() if name.endswith("bias"))
    head = {name: n for name, n in sizes.items() if name.startswith(("classifier", "score"))}
    assert bool(head) is bool(architecture.n_labels)
    assert architecture.n_head_weights == sum(n for name, n in head.items() if name.endswith("weight"))
    assert architecture.n_head_biases == sum(n for name, n in head.items() if name.endswith("bias"))


def test_sites_are_those_of_the_real_model_in_the_same_order_with_the_same_maps(architecture):
    model = real_model(architecture)
    hosts = architecture.family.hosts(model)
    assert [(site.kind, site.layer) for site in hosts] == [(site.kind, site.layer) for site in architecture.sites]
    for shape, site in zip(architecture.sites, hosts, strict=True):
        assert list(site.linears) == list(shape.linears)
        for role, linear in site.linears.items():
            assert (linear.in_features, linear.out_features) == (shape.linears[role].d_in, shape.linears[role].d_out)
            assert (linear.bias is not None) is shape.linears[role].bias
        is_attention = shape.slot is Slot.ATTN
        assert (shape.n_heads * shape.head_width == shape.linears["query"].d_out) if is_attention else not shape.n_heads
    assert sum(architecture.attention_kinds.values()) == len(architecture.at(Slot.ATTN))


def test_facts_of_a_configuration_are_those_of_the_model_made_of_it(architecture):
    found = architecture_of_model(real_model(architecture))
    assert found == replace(architecture, name=architecture.family.name, published_denominator=None)


def test_the_published_backbones_have_the_published_sizes(bart_large, mbart_large, roberta_base):
    # the authors' modules, counted: 406,291,456, 610,851,840 and 124,647,939 (three labels), 124,647,170 (two)
    assert bart_large.n_parameters == 406_291_456
    assert mbart_large.n_parameters == 610_851_840
    assert roberta_base.n_parameters == 124_647_939
    assert architecture_from_config(roberta_base.config, name="two", n_labels=2).n_parameters == 124_647_170
    assert stated_architecture("llama", n_labels=0).n_parameters == 1_235_814_400  # as its model card says
    assert [len(each.at(Slot.ATTN)) for each in (bart_large, roberta_base)] == [36, 12]
    assert [len(each.at(Slot.FFN)) for each in (bart_large, roberta_base)] == [24, 12]


def test_what_conf_states_is_what_the_model_cards_say(bart_large, mbart_large, roberta_base, bert_base):
    cards = {"bart": bart_large, "mbart": mbart_large, "roberta": roberta_base, "bert": bert_base}
    for name, card in cards.items():
        assert stated_architecture(name, n_labels=card.n_labels) == card


@pytest.mark.parametrize(
    ("family", "kind", "is_pre_norm"),
    [
        ("bart", "encoder-decoder", False),
        ("mbart", "encoder-decoder", True),
        ("roberta", "encoder", False),
        ("bert", "encoder", False),
        ("llama", "decoder", True),
    ],
)
def test_families_know_their_shape(family, kind, is_pre_norm):
    assert (FAMILIES[family].kind, FAMILIES[family].is_pre_norm) == (kind, is_pre_norm)
