"""mini-roberta: an encoder for classification."""

from collections.abc import Mapping
from typing import Any

from unidelta.mini.miniature import MAX_POSITIONS, MINIATURES, Miniature, Size
from unidelta.mini.world import world

_LAYERS = 4


def _config(size: Size, words: Mapping[str, int]) -> dict[str, Any]:
    return {
        "hidden_size": size.width,
        "num_hidden_layers": _LAYERS + size.n_more_layers,
        "num_attention_heads": size.n_heads,
        "intermediate_size": 4 * size.width,
        "max_position_embeddings": MAX_POSITIONS + words["<pad>"] + 1,  # positions are counted from there
        "type_vocab_size": 1,
        "initializer_range": 0.05,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }


MINIATURES.register(Miniature(name="roberta", vocabulary=lambda seed: world(seed).vocabulary(), config=_config))
