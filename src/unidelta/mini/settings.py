"""Sizes and vocabularies of the embedded backbones, as a checkpoint's config.json states them; no torch."""

from typing import Any

from unidelta.errors import DataError
from unidelta.mini.second_language import LANGUAGES, first_vocabulary, second_lexicon
from unidelta.mini.world import SHIPPED_SEED, world

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # ids 0 to 4, in RoBERTa's order
FAMILIES = ("bart", "mbart", "roberta")
MAX_POSITIONS = 128
_WIDTH, _HEADS, _LAYERS, _ENCODER_ONLY_LAYERS = 128, 4, 3, 4


def settings(family: str, *, n_labels: int = 0, scale_up: bool = False, seed: int = SHIPPED_SEED) -> dict[str, Any]:
    """The configuration of a backbone as plain data.

    Args:
        family: bart, mbart or roberta.
        n_labels: classes of a RoBERTa with a classification head; 0 for none, and for the others.
        scale_up: twice as wide and one layer deeper.
        seed: of the world, whose words are the vocabulary.

    Raises:
        DataError: there is no miniature of this family.
    """
    words = words_of(family, seed=seed)
    width, more = (2 * _WIDTH, 1) if scale_up else (_WIDTH, 0)
    values: dict[str, Any] = {"model_type": family, "vocab_size": len(words)}
    values |= {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    if family != "roberta":
        for side in ("encoder", "decoder"):
            values |= {f"{side}_layers": _LAYERS + more, f"{side}_attention_heads": _HEADS}
            values[f"{side}_ffn_dim"] = 4 * width
        return values | {
            "d_model": width,
            "init_std": 0.05,
            "dropout": 0.0,  # text is never seen twice in pretraining, and dropout is slow on a CPU
            "max_position_embeddings": MAX_POSITIONS,
            "decoder_start_token_id": words[LANGUAGES[1]] if family == "mbart" else 2,
            "forced_eos_token_id": 2,
            "use_cache": True,
        }
    return values | {
        "hidden_size": width,
        "num_hidden_layers": _ENCODER_ONLY_LAYERS + more,
        "num_attention_heads": _HEADS,
        "intermediate_size": 4 * width,
        "max_position_embeddings": MAX_POSITIONS + 2,  # RoBERTa counts positions from pad_token_id + 1
        "type_vocab_size": 1,
        "initializer_range": 0.05,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        **({"num_labels": n_labels} if n_labels else {}),
    }


def words_of(family: str, *, seed: int = SHIPPED_SEED) -> dict[str, int]:
    """Token ids by word.

    Raises:
        DataError: there is no miniature of this family.
    """
    if family not in FAMILIES:
        instead = f"one of: {', '.join(FAMILIES)}, or backbone.checkpoint=DIR with weights of your own"
        raise DataError(f"a miniature of the family {family}", "none is made", instead)
    if family == "mbart":
        words = [*SPECIAL, *first_vocabulary(seed), *second_lexicon(seed).vocabulary(), *LANGUAGES]
    else:
        words = [*SPECIAL, *world(seed).vocabulary()]
    return {word: index for index, word in enumerate(dict.fromkeys(words))}
