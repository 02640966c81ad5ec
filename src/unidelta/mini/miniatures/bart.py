"""mini-bart: an encoder-decoder for summaries."""

from collections.abc import Mapping
from typing import Any

from unidelta.mini.miniature import MAX_POSITIONS, MINIATURES, Miniature, Size
from unidelta.mini.world import world

_LAYERS = 2


def config(size: Size, words: Mapping[str, int]) -> dict[str, Any]:
    """Sizes of both stacks, and the tokens that start and end decoding."""
    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (
            ("layers", _LAYERS + size.n_more_layers),
            ("attention_heads", size.n_heads),
            ("ffn_dim", 4 * size.width),
        )
    }
    return {
        **sides,
        "d_model": size.width,
        "init_std": 0.05,
        "dropout": 0.0,  # text is never seen twice in pretraining, and dropout is slow on a CPU
        "max_position_embeddings": MAX_POSITIONS,
        "decoder_start_token_id": words["</s>"],
        "forced_eos_token_id": words["</s>"],
        "use_cache": True,
    }


MINIATURES.register(Miniature(name="bart", vocabulary=lambda seed: world(seed).vocabulary(), config=config))
