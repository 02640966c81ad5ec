"""What cannot be injected is refused in three lines, before anything is changed."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPTNeoXConfig,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
)

from unidelta.design.axes import Representation, Rotation, Slot
from unidelta.design.family import FAMILIES as KNOWN
from unidelta.design.spec import Deltas, FullFineTuning, PromptTuning
from unidelta.errors import BackboneError, DesignError, Problems
from unidelta.hosts.linear import LinearHost
from unidelta.hosts.site import Hosting, attach
from unidelta.injection.architecture import architecture_of
from unidelta.injection.inject import inject

FAMILIES = ("bart", "mbart", "roberta", "bert")


def put(model, design):
    return inject(model, design, generator=torch.Generator())


@pytest.mark.parametrize("config", [OPTConfig(), GPTNeoXConfig()])
def test_another_architecture_is_refused_by_name(config):
    with pytest.raises(BackboneError) as refusal:
        architecture_of(config, name="x")
    asked, why, instead = str(refusal.value).splitlines()
    assert f"`{config.model_type}`" in asked
    assert why == f"Why not:    deltas can be put into {', '.join(KNOWN)} only"
    assert instead == "Instead:    backbone.checkpoint=DIR with one of these architectures"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("first", "second"), [("mam", "mam"), ("lora_attn", "adapter_ffn"), ("adapter_ffn", "full")])
def test_a_second_injection_is_refused(tiny, design, family, first, second):
    model = tiny(family)
    put(model, design(first, family))
    before = {name: p.requires_grad for name, p in model.named_parameters()}
    with pytest.raises(DesignError) as refusal:
        put(model, design(second, family))
    assert str(refusal.value) == (
        "You asked:  deltas in a model that has deltas already\n"
        "Why not:    a design goes into a model without deltas\n"
        "Instead:    deltas.remove() first, or all deltas in one design"
    )
    assert {name: p.requires_grad for name, p in model.named_parameters()} == before


@pytest.mark.parametrize("family", ["bart", "mbart"])
def test_a_second_injection_after_a_prompt_is_refused(tiny, design, family):
    model = tiny(family)
    put(model, PromptTuning(length=3))
    with pytest.raises(DesignError, match="a design goes into a model without deltas"):
        put(model, PromptTuning(length=3))


@pytest.mark.parametrize("family", ["roberta", "bert"])
def test_a_prompt_in_an_encoder_is_refused(tiny, family):
    with pytest.raises(Problems, match="the classifier reads the first position, where the prompt would stand"):
        put(tiny(family), PromptTuning(length=3))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_design_that_breaks_rules_leaves_the_model_as_it_was(tiny, part, family):
    model = tiny(family)
    wrong = replace(part(family, "attn", "prefix"), slot=Slot.FFN, bottleneck=0)
    with pytest.raises(Problems) as refusal:
        put(model, Deltas(parts=(wrong,)))
    assert "an FFN has none (Table 1)" in str(refusal.value)
    assert "a bottleneck below 1 tunes nothing" in str(refusal.value)
    assert all(p.requires_grad for p in model.parameters())
    put(model, FullFineTuning())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bottleneck_wider_than_the_model_is_refused(tiny, design, family):
    with pytest.raises(Problems, match="the bottleneck 13 is larger than the model's width, 12"):
        put(tiny(family), design("adapter_ffn", family, bottleneck=13))
    put(tiny(family), design("adapter_ffn", family, bottleneck=12))


@pytest.mark.parametrize("family", ["bart", "roberta"])
@pytest.mark.parametrize("name", ["prefix", "parallel_attn", "mam"])
def test_deltas_at_heads_need_an_attention_whose_masks_are_known(tiny, design, family, name):
    model = tiny(family)
    model.config._attn_implementation = "flex_attention"
    before = dict(model.named_modules())
    with pytest.raises(DesignError) as refusal:
        put(model, design(name, family))
    assert str(refusal.value) == (
        "You asked:  deltas at attention heads with attn_implementation=flex_attention\n"
        "Why not:    the masks of a prefix are built for sdpa and eager only\n"
        "Instead:    attn_implementation=sdpa"
    )
    assert all(p.requires_grad for p in model.parameters())
    assert dict(model.named_modules()) == before
    put(model, design("adapter_ffn", family))  # which needs no place inside attention


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_a_prefix_is_not_rotated_by_a_rotation_that_changes(part, kind):
    factors = {"short_factor": [1.0] * 3, "long_factor": [2.0] * 3} if kind == "longrope" else {"factor": 2.0}
    sizes = {**KNOWN["llama"].tiny, "original_max_position_embeddings": 20}
    rope = {"rope_type": kind, "rope_theta": 1e4, "original_max_position_embeddings": 20, **factors}
    model = LlamaForCausalLM(LlamaConfig(**sizes, rope_parameters=rope))
    usual = part("llama", "attn", "prefix", composition="gated")
    with pytest.raises(DesignError, match="its rotation changes with the length of the text"):
        put(model, Deltas(parts=(replace(usual, rotation=Rotation.BEFORE),)))
    assert all(p.requires_grad for p in model.parameters())
    put(model, Deltas(parts=(usual,)))


def test_a_place_takes_one_delta():
    hosting = Hosting(module=torch.nn.Linear(2, 2), host=LinearHost)
    attach(hosting, Representation.LINEAR, torch.nn.Identity())
    with pytest.raises(ValueError, match="`Linear` already has a delta at `linear`"):
        attach(hosting, Representation.LINEAR, torch.nn.Identity())


def test_a_gate_needs_its_softmax(tiny, part):
    wrong = replace(part("bart", "attn", "prefix"), form="head_adapter", composition="gated")
    with pytest.raises(Problems, match="only a prefix has a softmax"):
        put(tiny("bart"), Deltas(parts=(wrong,)))


@pytest.mark.parametrize(
    "odd", [{"decoder_ffn_dim": 28}, {"decoder_attention_heads": 2}, {"tie_word_embeddings": False}]
)
def test_a_checkpoint_whose_stacks_differ_is_refused_or_counted_right(odd):
    sizes = {"vocab_size": 41, "d_model": 12, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 20}
    heads = {"decoder_ffn_dim": 20, "encoder_attention_heads": 3, "decoder_attention_heads": 3}
    config = BartConfig(**{**sizes, **heads, "max_position_embeddings": 40, **odd})
    model = BartForConditionalGeneration(config)
    try:
        architecture = architecture_of(config, name="odd")
    except BackboneError:
        return
    assert architecture.n_parameters == sum(p.numel() for p in model.parameters())
    assert {site.n_heads for site in architecture.sites if site.n_heads} == {config.decoder_attention_heads}
