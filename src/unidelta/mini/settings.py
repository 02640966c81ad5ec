"""Sizes and vocabularies of the miniature's backbones, in the form of config.json; no torch."""

from typing import Any

from unidelta.errors import DataError
from unidelta.mini.miniature import MINIATURES, SPECIAL, Miniature, Size
from unidelta.mini.world import SHIPPED_SEED


def settings(family: str, *, n_labels: int = 0, scale_up: bool = False, seed: int = SHIPPED_SEED) -> dict[str, Any]:
    """The configuration of a backbone as plain data.

    Args:
        family: the architecture.
        n_labels: classes of the classification head; 0 for none.
        scale_up: twice as wide and one layer deeper.
        seed: of the world, whose words are the vocabulary.

    Raises:
        DataError: there is no miniature of this family.
    """
    words = words_of(family, seed=seed)
    size = Size(width=2 * Size().width, n_more_layers=1) if scale_up else Size()
    special = {"bos_token_id": words["<s>"], "pad_token_id": words["<pad>"], "eos_token_id": words["</s>"]}
    values = {"model_type": family, "vocab_size": len(words), **special}
    return {**values, **miniature_of(family).config(size, words), **({"num_labels": n_labels} if n_labels else {})}


def words_of(family: str, *, seed: int = SHIPPED_SEED) -> dict[str, int]:
    """Token ids by word.

    Raises:
        DataError: there is no miniature of this family.
    """
    words = [*SPECIAL, *miniature_of(family).vocabulary(seed)]
    return {word: index for index, word in enumerate(dict.fromkeys(words))}


def miniature_of(family: str) -> Miniature:
    """The miniature of a family.

    Raises:
        DataError: there is none.
    """
    if family not in MINIATURES:
        why = f"the miniature has weights of {', '.join(MINIATURES)} alone"
        instead = "scale=paper, backbone.checkpoint=DIR with weights of your own, or one of these backbones"
        raise DataError(f"a miniature of the family {family}", why, instead)
    return MINIATURES[family]
