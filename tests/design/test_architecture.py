"""Closed-form sizes of backbones against real transformers models, on the meta device."""

from dataclasses import replace

import pytest
import torch
import transformers
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
)
from transformers.pytorch_utils import Conv1D

import unidelta
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.design.published import stated_architecture
from unidelta.errors import BackboneError
from unidelta.injection.architecture import architecture_of_model

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
GPT2 = {"vocab_size": 37, "n_embd": 10, "n_layer": 3, "n_head": 5, "n_positions": 19}
T5 = {
    **{"vocab_size": 37, "d_model": 10, "d_kv": 3, "d_ff": 23, "num_layers": 3, "num_decoder_layers": 2},
    **{"num_heads": 4, "relative_attention_num_buckets": 7, "feed_forward_proj": "gated-gelu"},
}
MODERNBERT = {key: value for key, value in ENCODER.items() if key != "type_vocab_size"}
MODERNBERT["vocab_size"] = 50301  # its own padding token must be among them
BIASES = ("attention_bias", "mlp_bias", "norm_bias", "classifier_bias")
ODD = {
    "bart": SEQ2SEQ,
    "mbart": SEQ2SEQ,
    "roberta": ENCODER,
    "bert": ENCODER,
    "llama": LLAMA,
    "llama, biases": {**LLAMA, "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    "mistral": LLAMA,
    "qwen3": {**LLAMA, "tie_word_embeddings": True},
    "qwen3, biases": {**LLAMA, "attention_bias": True},
    "gemma3_text": {**LLAMA, "query_pre_attn_scalar": 7},
    "gpt2": GPT2,
    "gpt2, untied": {**GPT2, "n_inner": 23, "tie_word_embeddings": False},
    "t5": T5,
    "t5, not gated": {**T5, "feed_forward_proj": "relu", "num_decoder_layers": 5},
    "modernbert": MODERNBERT,
    "modernbert, biases": {**MODERNBERT, **dict.fromkeys(BIASES, True)},
    "qwen2": LLAMA,
    "xlm-roberta": ENCODER,
    "electra": {**ENCODER, "embedding_size": 6},
    "electra, as wide": {**ENCODER, "embedding_size": ENCODER["hidden_size"]},
    "pegasus": SEQ2SEQ,
    "marian": {**SEQ2SEQ, "vocab_size": 58_101},  # the token of padding is its last
}
# what their model cards say; llama's 1.24 B is given in full by its weights
LATER = {
    "llama": 1_235_814_400,
    "mistral": 7_241_732_096,
    "qwen3": 596_049_920,
    "gemma3": 268_098_176,
    "gpt2": 124_439_808,
    "t5": 247_577_856,
    "modernbert": 149_014_272 + 768 * 768 + 768 + 3 * 768 + 3,  # the encoder, the prediction head, three labels
    "qwen2": 494_032_768,
    "xlm-roberta": 278_043_648 + 3 * 768 + 3,  # the encoder with its pooler, which is as large as the head's first map
    "electra": 108_891_648 + 768 * 768 + 768 + 3 * 768 + 3,
    "pegasus": 570_797_056,
}
ENCODERS = ("modernbert", "xlm-roberta", "electra")


def size_of(linear: nn.Module) -> tuple[int, int]:
    """Features in and out; GPT-2 stores its weights transposed."""
    return tuple(linear.weight.shape if isinstance(linear, Conv1D) else reversed(linear.weight.shape))


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
        *("bart_large", "mbart_large", "roberta_base", "roberta_base_2", "bert_base"),
        *(f"stated {name}" for name in LATER),
        *(f"odd {name}" for name in ODD),
    ]
)
def architecture(request) -> Architecture:
    if request.param.startswith("odd "):
        return odd(request.param.removeprefix("odd "))
    if request.param.startswith("stated "):
        return stated_architecture(request.param.removeprefix("stated "), n_labels=3)
    if request.param == "roberta_base_2":
        three = request.getfixturevalue("roberta_base")
        return architecture_from_config(three.config, name="two labels", n_labels=2)
    return request.getfixturevalue(request.param)


def test_parameters_biases_and_head_are_those_of_the_real_model(architecture):
    named = dict(real_model(architecture).named_parameters())
    sizes = {name: parameter.numel() for name, parameter in named.items()}
    untied = architecture.family.untied(architecture.config)  # by its weights, where transformers' class ties them
    extra = architecture.config["vocab_size"] * architecture.width * len(untied)
    assert architecture.n_parameters == sum(sizes.values()) + extra
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
            n_in, n_out = size_of(linear)
            begin, end = site.columns.get(role, (0, n_out))
            assert (n_in, end - begin) == (shape.linears[role].d_in, shape.linears[role].d_out)
            assert end <= n_out and (linear.bias is not None) is shape.linears[role].bias
        is_attention = shape.slot is Slot.ATTN
        assert (shape.n_heads * shape.head_width == shape.linears["query"].d_out) if is_attention else not shape.n_heads
    assert sum(architecture.attention_kinds.values()) == len(architecture.at(Slot.ATTN))


def test_facts_of_a_configuration_are_those_of_the_model_made_of_it(architecture):
    model = real_model(architecture)
    for name in architecture.family.untied(architecture.config):  # in checkpoints; a model made of a config ties them
        owner = model.get_submodule(name.rpartition(".")[0])
        owner.weight = torch.nn.Parameter(owner.weight.detach().clone())
    found = architecture_of_model(model)
    assert found == replace(architecture, name=architecture.family.name, published_denominator=None)


@pytest.mark.parametrize("made", ["LlamaModel", "RobertaForMaskedLM", "BartForSequenceClassification", "T5Model"])
def test_the_size_of_any_class_is_what_it_holds(made):
    """One without a language-model head has fewer parameters than its config.json says of the usual class."""
    name = made.partition("For")[0].removesuffix("Model").lower()
    config = AutoConfig.for_model(name, **FAMILIES[name].tiny)
    model = getattr(transformers, made)(config)
    n = sum(parameter.numel() for parameter in model.parameters())
    assert architecture_of_model(model).n_parameters == n
    deltas = unidelta.inject(model, "lora", budget=2)
    assert deltas.counts().backbone == n and f"of {n:,} parameters" in deltas.summary()


def test_the_published_backbones_have_the_published_sizes(bart_large, mbart_large, roberta_base):
    # the authors' modules, counted: 406,291,456, 610,851,840 and 124,647,939 (three labels), 124,647,170 (two)
    assert bart_large.n_parameters == 406_291_456
    assert mbart_large.n_parameters == 610_851_840
    assert roberta_base.n_parameters == 124_647_939
    assert architecture_from_config(roberta_base.config, name="two", n_labels=2).n_parameters == 124_647_170
    for name, n in LATER.items():
        assert stated_architecture(name, n_labels=3 if name in ENCODERS else 0).n_parameters == n
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
        *((name, "decoder", True) for name in ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "gpt2")),
        *((name, "encoder-decoder", is_pre) for name, is_pre in (("t5", True), ("pegasus", True), ("marian", False))),
        *((name, "encoder", name == "modernbert") for name in ENCODERS),
    ],
)
def test_families_know_their_shape(family, kind, is_pre_norm):
    assert (FAMILIES[family].kind, FAMILIES[family].is_pre_norm) == (kind, is_pre_norm)


def test_a_size_that_is_missing_and_one_that_is_none_are_told_apart():
    config = {key: value for key, value in LLAMA.items() if key != "vocab_size"} | {"hidden_size": 1.5}
    with pytest.raises(BackboneError) as refusal:
        architecture_from_config({"model_type": "llama", **config}, name="odd", n_labels=0)
    assert refusal.value.why == "it does not say vocab_size; its hidden_size is 1.5, no whole number"
