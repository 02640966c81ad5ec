"""Checkpoints of the later families as people have them, tiny and random: loaded with equal values, counted right."""

from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from unidelta.backbones.loading import LoadedBackbone, Loading
from unidelta.backbones.local import Local
from unidelta.design.architecture import Architecture
from unidelta.design.family import FAMILIES
from unidelta.design.published import stated_architecture
from unidelta.errors import BackboneError
from unidelta.mini.tokenizer import tokenizer

N_WORDS = len(tokenizer("bart", seed=0))
# class, family and what is new in it
LAYOUTS = {
    "T5": ("T5ForConditionalGeneration", "t5", {}, set()),
    "T5 1.1 with a head of its own": ("T5ForConditionalGeneration", "t5", {"tie_word_embeddings": False}, set()),
    "GPT-2": ("GPT2LMHeadModel", "gpt2", {}, set()),
    "GPT-2 without the language model's head": ("GPT2Model", "gpt2", {}, set()),
    "Gemma 3": ("Gemma3ForCausalLM", "gemma3_text", {}, set()),
    "Qwen3, untied": ("Qwen3ForCausalLM", "qwen3", {"tie_word_embeddings": False}, set()),
    "Mistral": ("MistralForCausalLM", "mistral", {}, set()),
    "ModernBERT as a masked language model": ("ModernBertForMaskedLM", "modernbert", {}, {"classifier"}),
    "ModernBERT, the encoder alone": (
        "ModernBertModel",
        "modernbert",
        {},
        {"classifier", "head.dense", "head.norm"},
    ),
}


def saved(kind: str, family: str, changes: dict, folder: Path) -> hf.PreTrainedModel:
    torch.manual_seed(5)
    made = getattr(hf, kind)
    model = made(made.config_class(**{**FAMILIES[family].tiny, "vocab_size": N_WORDS, **changes})).eval()
    if family == "t5" and changes:  # transformers ties it whatever the configuration says, until a checkpoint differs
        model.lm_head.weight = torch.nn.Parameter(torch.randn(N_WORDS, 12))
    model.save_pretrained(folder)
    if family == "t5" and changes:
        tensors = {**load_file(folder / "model.safetensors"), "lm_head.weight": model.lm_head.weight.detach()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        file = folder / "config.json"
        file.write_text(file.read_text().replace('"tie_word_embeddings": true', '"tie_word_embeddings": false'))
    tokenizer("bart", seed=0).save_pretrained(folder)
    return model


def load(folder: Path, family: str) -> tuple[LoadedBackbone, Architecture]:
    """What a run does with a folder: first it is looked at, then it is loaded."""
    weights = Local(family=family, typed=str(folder))
    published = stated_architecture("modernbert" if family == "modernbert" else "bart", n_labels=3)
    architecture = weights.architecture(published)
    return weights.load(Loading(seed=3, n_labels=architecture.n_labels)), architecture


SLOW = ("GPT-2", "Gemma 3", "Mistral")  # nothing that the others do not show


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in LAYOUTS]
)
def test_a_layout_is_loaded_with_equal_values_and_counted(name: str, tmp_path: Path) -> None:
    kind, family, changes, new = LAYOUTS[name]
    model = saved(kind, family, changes, tmp_path)
    found, architecture = load(tmp_path, family)
    assert {each.rpartition(".")[0] for each in found.new} == new
    theirs = {
        **model.state_dict(),
        **{f"{found.model.base_model_prefix}.{k}": v for k, v in model.state_dict().items()},
    }
    shared = {key: tensor for key, tensor in found.model.state_dict().items() if key in theirs}
    assert len(shared) >= len(list(found.model.base_model.parameters()))
    assert all(tensor.equal(theirs[key]) for key, tensor in shared.items())
    parameters = list(found.model.parameters())
    assert architecture.n_parameters == sum(parameter.numel() for parameter in parameters)
    if "own" in name:
        assert found.model.lm_head.weight is not found.model.get_input_embeddings().weight


def test_a_head_that_came_apart_is_refused_where_it_should_be_tied(tmp_path: Path) -> None:
    saved("T5ForConditionalGeneration", "t5", {}, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    apart = {**tensors, "lm_head.weight": tensors["shared.weight"] + 1}
    save_file(apart, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BackboneError, match=r"lm_head\.weight and shared\.weight"):
        load(tmp_path, "t5")


@pytest.mark.parametrize(
    ("family", "changes", "words"),
    [
        ("gpt2", {"reorder_and_upcast_attn": True}, "computed in float32 by code of its own"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "does not divide by √d_h alone"),
        ("gpt2", {"add_cross_attention": True}, "attends to a source"),
        ("gemma3_text", {"use_bidirectional_attention": True}, "attend to what follows them"),
    ],
)
def test_a_variant_that_the_family_is_not_is_refused_before_it_is_loaded(family, changes, words, tmp_path) -> None:
    kinds = {"gpt2": "GPT2LMHeadModel", "gemma3_text": "Gemma3ForCausalLM"}
    saved(kinds[family], family, changes, tmp_path)
    with pytest.raises(BackboneError, match=words) as refusal:
        load(tmp_path, family)
    assert refusal.value.instead == f"a checkpoint of the usual shape of a {family}"
