"""A RoBERTa that begins with BART's encoder: the same layers under other names, and the same words.

A RoBERTa of this size learns facts far more slowly than a BART: it is asked for a few words of a document, not for all.
Of another world, or twice as wide, it begins at random and takes ten times as many steps.
"""

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel

from unidelta.backbones.shipped import BACKBONES, checked_weights, world_of
from unidelta.mini.miniature import Size

_EMBEDDINGS = {
    "shared": "embeddings.word_embeddings",
    "encoder.embed_positions": "embeddings.position_embeddings",  # both count from 2
    "encoder.layernorm_embedding": "embeddings.LayerNorm",
}
_OF_LAYER = {
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.output.LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "final_layer_norm": "output.LayerNorm",
}


@torch.no_grad()
def begin_with_bart(model: PreTrainedModel, *, world_seed: int) -> None:
    """Copy the shipped mini-bart's embeddings and encoder layers; deeper layers keep their weights.

    A model of another width or world is left as it is.

    Args:
        model: a RoBERTa, changed in place.
        world_seed: of the world whose words are its vocabulary.

    Raises:
        BackboneError: mini-bart's weights are missing or were altered.
    """
    folder = BACKBONES / "bart"
    if model.config.hidden_size != Size().width or world_seed != world_of(folder):
        return
    found = load_file(checked_weights(folder))
    n_layers = 1 + max(int(name.split(".")[3]) for name in found if name.startswith("model.encoder.layers."))
    names = dict(_EMBEDDINGS)
    for layer in range(n_layers):
        for theirs, ours in _OF_LAYER.items():
            names[f"encoder.layers.{layer}.{theirs}"] = f"encoder.layer.{layer}.{ours}"
    for theirs, ours in names.items():
        target = model.get_submodule(f"roberta.{ours}")
        for kind, parameter in target.named_parameters():
            parameter.copy_(found[f"model.{theirs}.{kind}"])
