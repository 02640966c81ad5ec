"""Closed-form counts compared with injected models, with formulas in the test, and with the paper's printed values."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from unidelta.backbones.classes import MODEL_CLASSES
from unidelta.design.axes import LayerNorm
from unidelta.design.count import Counts, count
from unidelta.design.family import FAMILIES
from unidelta.design.spec import BitFit
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject

NAMES = (
    "prefix prefix_direct multihead adapter_attn adapter pfeiffer parallel_attn parallel scaled learned lora_attn "
    "lora_ffn lora_sequential houlsby mam prefix_lora ia3 bitfit full prompt"
).split()


SEQ2SEQ = {
    **{"d_model": 12, "encoder_layers": 3, "decoder_layers": 2, "encoder_ffn_dim": 23, "decoder_ffn_dim": 23},
    **{"encoder_attention_heads": 3, "decoder_attention_heads": 3},
}
SIZES = {
    "bart": (AutoModelForSeq2SeqLM, SEQ2SEQ),
    "mbart": (AutoModelForSeq2SeqLM, SEQ2SEQ),
    "roberta": (
        AutoModelForSequenceClassification,
        {"hidden_size": 12, "num_hidden_layers": 3, "intermediate_size": 23, "num_attention_heads": 3, "num_labels": 3},
    ),
    "llama": (
        AutoModelForCausalLM,
        {
            **{"hidden_size": 12, "num_hidden_layers": 3, "intermediate_size": 23, "num_attention_heads": 4},
            **{"num_key_value_heads": 2, "head_dim": 6},
        },
    ),
    **{
        name: (MODEL_CLASSES[FAMILIES[name].kind], {**FAMILIES[name].tiny, **({"num_labels": 3} if labels else {})})
        for name, labels in (("gemma3_text", False), ("modernbert", True))  # the others: tests/injection/test_families
    },
}


def tiny_model(family: str):
    """Stacks of different depth and sizes without common factors, on the meta device."""
    loader, sizes = SIZES[family]
    if "vocab_size" not in sizes:
        sizes = {"vocab_size": 37, "max_position_embeddings": 19, **sizes}
    with torch.device("meta"):
        return loader.from_config(AutoConfig.for_model(family, **sizes))


CASES = [(name, family) for name in NAMES for family in SIZES]
IMPOSSIBLE = (("prompt", "roberta"), ("bitfit", "llama"), ("bitfit", "gemma3_text"), ("prompt", "modernbert"))


@pytest.mark.parametrize(("name", "family"), [case for case in CASES if case not in IMPOSSIBLE])
def test_counts_are_those_of_the_injected_model(design, name, family):
    model = tiny_model(family)
    architecture = architecture_of(model.config, name="tiny")
    chosen = design(name, architecture)
    if hasattr(chosen, "parts"):
        parts = (replace(p, bottleneck=7 if p.bottleneck else 0, mlp_width=11) for p in chosen.parts)
        chosen = replace(chosen, parts=tuple(parts))
    elif hasattr(chosen, "length"):
        chosen = replace(chosen, length=7)
    counts = count(chosen, architecture)
    injection = inject(model, chosen, generator=torch.Generator())
    assert (injection.n_trained, injection.n_stored) == (counts.trained, counts.stored)
    assert counts.backbone == architecture.n_parameters


@pytest.mark.parametrize("name", ["mam", "adapter", "bitfit"])
def test_a_trained_head_is_counted_once(design, roberta_base, bart_large, name):
    plain = design(name, roberta_base)
    trained = replace(plain, trains_head=True)
    d, labels = 768, 3
    head = d * d + d * labels if isinstance(plain, BitFit) else d * d + d * labels + d + labels
    before, after = count(plain, roberta_base), count(trained, roberta_base)
    assert after.trained - before.trained == after.stored - before.stored == head
    assert after.matrices == before.matrices
    assert count(trained, bart_large) == count(plain, bart_large)


# d = 1024, 36 attentions, 24 FFNs, 12 layers a stack; biases r + d and layer norms 2d per site
PUBLISHED = {
    "prefix": (3 * (200 * 1024 + 1024 * 800 + 800 + 800 * 24576 + 24576), 36 * 2 * 200 * 1024),
    "adapter": (24 * (2 * 200 * 1024 + 200 + 1024), 24 * 2 * 200 * 1024),
    "pfeiffer": (24 * (2 * 600 * 1024 + 600 + 1024), 24 * 2 * 600 * 1024),
    "parallel_attn": (36 * (2 * 200 * 1024 + 200 + 1024 + 2048), 36 * 2 * 200 * 1024),
    "scaled": (24 * (2 * 512 * 1024 + 512 + 1024), 24 * 2 * 512 * 1024),
    "learned": (24 * (2 * 512 * 1024 + 512 + 1024 + 1), 24 * 2 * 512 * 1024),
    "lora_attn": (36 * 2 * 2 * 200 * 1024, 36 * 2 * 2 * 200 * 1024),
    "lora_ffn": (24 * 2 * 102 * (1024 + 4096), 24 * 2 * 102 * (1024 + 4096)),
    "prompt": (200 * 1024, 200 * 1024),
    "ia3": (36 * 2 * 1024 + 24 * 4096, 36 * 2 * 1024 + 24 * 4096),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_on_bart_large_follow_the_tables_of_the_paper(design, bart_large, name):
    trained, matrices = PUBLISHED[name]
    counts = count(design(name, bart_large), bart_large)
    assert (counts.trained, counts.matrices) == (trained, matrices)


def test_the_shares_of_the_table_of_the_authors(design, bart_large):
    """14,745,600 of 406,291,456 is 3.629 %; with its MLP the prefix trains 62,130,528, 15.29 %."""
    counts = count(design("prefix", bart_large), bart_large)
    assert (counts.stored, counts.trained) == (14_745_600, 62_130_528)
    assert counts.percent_stored == pytest.approx(3.629, abs=5e-4)
    assert counts.percent_trained == pytest.approx(15.29, abs=5e-3)
    assert counts.percent_matrices == pytest.approx(3.629, abs=5e-4)
    mam = count(design("mam", bart_large), bart_large)
    assert (mam.stored, mam.trained) == (27_414_528, 86_810_976)


def printed(matrices: int, denominator: int, backbone: int = 10**12) -> float:
    return Counts(
        trained=matrices, stored=matrices, matrices=matrices, backbone=backbone, published_denominator=denominator
    ).percent_published_rule


@pytest.mark.parametrize(
    ("matrices", "denominator", "percent"),
    [
        (25_165_824, 406_291_456, 6.1),  # 6.194
        (50_331_648, 406_291_456, 12.3),  # 12.388
        (29_491_200, 406_291_456, 7.2),  # 7.259
        (589_824, 124_647_939, 0.5),  # 0.473
        (294_912, 124_647_939, 0.2),  # 0.237
        (333_824, 406_291_456, 0.1),  # 0.082
        (60, 1000, 6.0),  # exactly 6 % is not 5.9
        (10, 1000, 1.0),
        (99_999, 10_000_000, 1.0),  # 0.99999, rounded
        (101_999, 10_000_000, 1.0),  # 1.01999, cut off
        (1_099_999, 10**8, 1.0),
        (29, 100, 29.0),
        (0, 1000, 0.0),
    ],
)
def test_the_published_rule_cuts_off_from_one_percent_on_and_rounds_below(matrices, denominator, percent):
    assert printed(matrices, denominator) == percent


def test_full_fine_tuning_is_printed_as_a_hundred_whatever_the_denominator(design, mbart_large, bart_large):
    assert count(design("full", mbart_large), mbart_large).percent_published_rule == 100.0
    assert count(design("full", bart_large), bart_large).percent_published_rule == 100.0


def test_mbart_is_divided_by_the_size_of_bart_where_the_paper_does(design, mbart_large):
    counts = count(design("parallel", mbart_large), mbart_large)
    assert counts.percent_published_rule == 6.1
    assert counts.percent_matrices == pytest.approx(100 * 25_165_824 / 610_851_840)
    own = replace(mbart_large, published_denominator=None)
    assert count(design("parallel", own), own).percent_published_rule == 4.1


@pytest.mark.parametrize("place", [LayerNorm.IN, LayerNorm.OUT])
def test_layer_norms_are_stored_but_are_no_matrices(design, bart_large, place):
    plain, normed = (count(design("adapter", bart_large, layer_norm=p), bart_large) for p in (LayerNorm.NONE, place))
    assert normed.trained - plain.trained == 24 * 2 * 1024
    assert normed.matrices == plain.matrices
