"""mini-llama: a decoder alone, for all four tasks; it knows both languages."""

from collections.abc import Mapping
from typing import Any

from unidelta.mini.miniature import MAX_POSITIONS, MINIATURES, Miniature, Size
from unidelta.mini.second_lexicon import first_vocabulary, second_lexicon
from unidelta.mini.world import world

_LAYERS = 4


def _vocabulary(seed: int) -> list[str]:
    return [*world(seed).vocabulary(), *first_vocabulary(seed), *second_lexicon(seed).vocabulary()]


def _config(size: Size, words: Mapping[str, int]) -> dict[str, Any]:
    return {
        "hidden_size": size.width,
        "intermediate_size": 11 * size.width // 4,  # of a gated FFN: as many parameters as one of 4 d without a gate
        "num_hidden_layers": _LAYERS + size.n_more_layers,
        "num_attention_heads": size.n_heads,
        "num_key_value_heads": size.n_heads // 2,
        "max_position_embeddings": MAX_POSITIONS,
        "initializer_range": 0.05,
        "attention_dropout": 0.0,
        "tie_word_embeddings": True,
    }


MINIATURES.register(Miniature(name="llama", vocabulary=_vocabulary, config=_config, reads_lines=True))
