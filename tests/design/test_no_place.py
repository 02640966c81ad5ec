"""Architectures in which a form has no place: refused, naming the layers; the configurations are transformers' own."""

import json

import pytest
from transformers import AutoConfig

from unidelta.backbones.config_file import read_config
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.design.no_place import without_a_place
from unidelta.errors import BackboneError

LINEAR, STATE = "linear attention, without keys", "a recurrent state, without keys"
REFUSED = {
    "mamba": ({"num_hidden_layers": 3}, [f"layers 0 to 2 are {STATE}"]),
    "mamba2": ({"num_hidden_layers": 1}, [f"layer 0 is {STATE}"]),
    "rwkv": ({"num_hidden_layers": 2}, [f"layers 0 to 1 are {STATE}"]),
    "recurrent_gemma": ({"num_hidden_layers": 5}, [f"layers 0 to 1 and 3 to 4 are {STATE}"]),
    "qwen3_next": (
        {"num_hidden_layers": 5, "num_experts": 16},
        [f"layers 0 to 2 and 4 are {LINEAR}", "the FFNs of layers 0 to 4 are mixtures of 16 experts"],
    ),
    "qwen3_5": ({}, ["layers 0 to 2, 4 to 6, 8 to 10, 12 to 14, 16 to 18 and 9 more are linear attention"]),
    "mixtral": ({"num_hidden_layers": 4}, ["the FFNs of layers 0 to 3 are mixtures of 8 experts"]),
    "qwen3_moe": (
        {"num_hidden_layers": 6, "decoder_sparse_step": 2, "mlp_only_layers": [3], "num_experts": 7},
        ["the FFNs of layers 1 and 5 are mixtures of 7 experts"],
    ),
    "deepseek_v3": ({"num_hidden_layers": 4}, ["the FFN of layer 3 is a mixture of 256 experts"]),
    "jamba": (
        {"num_hidden_layers": 6},
        [f"layers 0 to 3 and 5 are {STATE}", "the FFNs of layers 1, 3 and 5 are mixtures of 16 experts"],
    ),
    "deberta-v2": (
        {"num_hidden_layers": 2, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
        ["the attention of layers 0 to 1 is disentangled: its logits have terms of the relative position of every key"],
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_layers_without_a_place_for_a_delta_are_named(kind, tmp_path):
    changes, words = REFUSED[kind]
    config = AutoConfig.for_model(kind, **changes).to_dict()
    with pytest.raises(BackboneError) as refusal:
        architecture_from_config(config, name=kind, n_labels=0)
    assert refusal.value.asked == f"a backbone of architecture `{kind}`"
    parts = refusal.value.why.split("; ")
    assert [part[: len(word)] for part, word in zip(parts, words, strict=True)] == words
    assert all(name in refusal.value.instead for name in FAMILIES)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BackboneError, match=words[0]):  # somebody's folder, read before anything is loaded
        read_config(tmp_path / "config.json", family="llama", asked="backbone.checkpoint=DIR")


@pytest.mark.parametrize("kind", [*FAMILIES, "opt", "gemma2", "gpt_neox", "bloom", "cohere2"])
def test_nothing_is_in_the_way_of_dense_models_with_attention(kind):
    assert without_a_place(AutoConfig.for_model(kind).to_dict()) == []
