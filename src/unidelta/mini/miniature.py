"""What a shipped backbone of the miniature is made of: its words and its sizes; no torch.

One file in `miniatures/` registers one, by the name of its architecture. How it is pretrained is a file of the same
name in `pretraining/objectives/`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unidelta.extensions.registry import Registry

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # ids 0 to 4, in RoBERTa's order
MAX_POSITIONS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Width and number of layers of a backbone, as the shipped ones have them or scaled up."""

    width: int = 128
    n_heads: int = 4
    n_more_layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Miniature:
    """A backbone small enough to ship.

    Args:
        name: of its architecture, as `model_type` in config.json.
        vocabulary: the words of a world, by the world's seed, without the special ones.
        config: what config.json says beside vocabulary and special tokens, by size and token ids.
        languages: codes that end a text, source language first; empty where a text has none.
    """

    name: str
    vocabulary: Callable[[int], Sequence[str]]
    config: Callable[[Size, Mapping[str, int]], dict[str, Any]]
    languages: tuple[str, ...] = ()


MINIATURES: Registry[Miniature] = Registry("miniature", package="unidelta.mini.miniatures")
"""Every shipped backbone by the name of its architecture."""
