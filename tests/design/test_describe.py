"""Designs in words, and Table 1 as the paper prints it."""

from dataclasses import replace

import pytest

from unidelta.design.axes import LayerNorm, Rotation, TextStart
from unidelta.design.describe import describe, functional_form, modified_representation, table1
from unidelta.design.spec import BitFit, Deltas, FullFineTuning, PromptTuning

# the paper's Table 1: functional form, insertion, modified representation, composition
TABLE_1 = {
    "prefix": ("softmax(q P_kᵀ) P_v", "parallel", "head attention output", "h ← (1−λ)·h + λ·Δh"),
    "adapter": ("ReLU(h W_down) W_up", "sequential", "FFN output", "h ← h + Δh"),
    "lora_attn": ("x W_down W_up", "parallel", "attention query, value", "h ← h + s·Δh"),
    "parallel": ("ReLU(x W_down) W_up", "parallel", "FFN output", "h ← h + Δh"),
    "multihead": ("ReLU(q P_kᵀ) P_v", "parallel", "head attention output", "h ← h + Δh"),
    "scaled": ("ReLU(x W_down) W_up", "parallel", "FFN output", "h ← h + s·Δh"),
}
IA3 = [
    "| ia3 | (ℓ − 1) ⊙ h | sequential | attention key, value | h ← h + Δh |",
    "| ia3 | (ℓ − 1) ⊙ h | sequential | FFN inner activation | h ← h + Δh |",
]


@pytest.mark.parametrize("name", TABLE_1)
def test_a_row_of_table_1_is_written_from_the_design_itself(design, bart_large, name):
    form, insertion, representation, composition = TABLE_1[name]
    (part,) = design(name, bart_large).parts
    assert functional_form(part) == form
    assert modified_representation(part) == representation
    lines = table1({name: design(name, bart_large)}).splitlines()
    assert lines[2:] == [f"| {name} | {form} | {insertion} | {representation} | {composition} |"]


def test_later_methods_have_rows_of_the_same_kind(design, bart_large):
    assert table1({"ia3": design("ia3", bart_large)}).splitlines()[2:] == IA3


def test_table_1_is_markdown_with_one_row_per_part(design, bart_large):
    names = [*TABLE_1, "mam", "bitfit", "full", "prompt"]
    text = table1({name: design(name, bart_large) for name in names})
    head, rule, *rows = text.removesuffix("\n").split("\n")
    assert head == "| method | functional form Δh | insertion | modified representation | composition |"
    assert set(rule) == {"|", "-"} and rule.count("|") == head.count("|") == 6
    assert [row.split(" | ")[0] for row in rows] == [*(f"| {name}" for name in TABLE_1), "| mam", "| mam"]
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mam", "prefix(attn, l=30, gated, MLP 800) + parallel adapter(ffn, r=512, s=4)"),
        ("adapter", "sequential adapter(ffn, r=200)"),
        ("pfeiffer", "sequential adapter after add & norm(ffn, r=600)"),
        ("parallel_attn", "parallel adapter(attn, r=200, layer norm in)"),
        ("learned", "parallel adapter(ffn, r=512, learned s)"),
        ("lora_ffn", "parallel low rank(ffn, r=102, up+down, s=4)"),
        ("multihead", "multi-head adapter(attn, l=200, layer norm in, MLP 800)"),
        ("ia3", "sequential diagonal(attn, key+value) + sequential diagonal(ffn, inner)"),
        ("bitfit", "biases"),
        ("full", "all parameters"),
        ("prompt", "prompt(input, l=200)"),
    ],
)
def test_a_design_in_one_line(design, bart_large, name, words):
    chosen = design(name, bart_large)
    if name == "multihead":  # this family's released layer norm, said in words
        chosen = Deltas(parts=(replace(chosen.parts[0], layer_norm=LayerNorm.IN),))
    assert describe(chosen) == words


def test_a_trained_head_is_said(design, bart_large):
    assert describe(BitFit(trains_head=True)) == "biases + trained head"
    adapter = design("adapter", bart_large)
    assert describe(replace(adapter, trains_head=True)) == "sequential adapter(ffn, r=200) + trained head"


def test_the_place_of_a_prefix_is_described_where_it_has_one(design, bart_large):
    (prefix,) = design("prefix", bart_large).parts
    chosen = Deltas(parts=(replace(prefix, rotation=Rotation.BEFORE, text_start=TextStart.LENGTH),))
    assert describe(chosen) == "prefix(attn, l=200, gated, MLP 800, P_k rotated, text from l)"


def test_designs_that_differ_are_described_differently(design, bart_large):
    names = (
        "prefix prefix_direct multihead adapter_attn adapter pfeiffer parallel_attn parallel scaled learned lora_attn "
        "lora_ffn lora_sequential houlsby mam prefix_lora ia3 bitfit full prompt"
    ).split()
    assert len({describe(design(name, bart_large)) for name in names}) == len(names)
    assert describe(PromptTuning(length=3)) != describe(PromptTuning(length=4))
    assert describe(FullFineTuning()) != describe(BitFit())
