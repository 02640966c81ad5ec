"""Sizes and vocabularies of the placeholder backbones, as a checkpoint's config.json would state them."""

from typing import Any

from unidelta.errors import DataError
from unidelta.mini.corpus import vocabulary

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # ids 0 to 4
LANGUAGES = ("en_XX", "ro_RO")  # mBART only, after the words
FAMILIES = ("bart", "mbart", "roberta", "bert")


def settings(family: str, *, n_labels: int) -> dict[str, Any]:
    """The configuration of a backbone as plain data; encoder-decoders ignore `n_labels`.

    Raises:
        DataError: there is no such family.
    """
    if family not in FAMILIES:
        instead = f"One of: {', '.join(FAMILIES)}"
        raise DataError(f"backbone family {family}", "There is no miniature of this family.", instead)
    words = words_of(family)
    sizes: dict[str, Any] = {"model_type": family, "vocab_size": len(words)}
    sizes |= {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    if family in ("bart", "mbart"):
        for side in ("encoder", "decoder"):
            sizes |= {f"{side}_layers": 2, f"{side}_attention_heads": 4, f"{side}_ffn_dim": 128}
        return sizes | {
            "d_model": 64,
            "max_position_embeddings": 256,  # en-ro: targets of 150 tokens, outputs of up to 200
            "decoder_start_token_id": words["ro_RO" if family == "mbart" else "</s>"],
            "forced_eos_token_id": 2,
        }
    return sizes | {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        # RoBERTa counts positions from pad_token_id + 1 = 2
        "max_position_embeddings": 130 if family == "roberta" else 128,
        "type_vocab_size": 2,
        "num_labels": n_labels,
    }


def words_of(family: str) -> dict[str, int]:
    """Token ids by word."""
    words = [*SPECIAL, *vocabulary(), *(LANGUAGES if family == "mbart" else ())]
    return {word: index for index, word in enumerate(words)}
