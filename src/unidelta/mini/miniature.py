"""The vocabulary and sizes of a shipped backbone; no torch.

Each file in `miniatures/` registers one, by the name of its architecture. A file of the same name in
`pretraining/objectives/` pretrains it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unidelta.extensions.registry import Registry

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # ids 0 to 4, in RoBERTa's order
MAX_POSITIONS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Width and number of layers of a backbone, as shipped or scaled up."""

    width: int = 128
    n_heads: int = 4
    n_more_layers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Miniature:
    """A backbone small enough to ship.

    Args:
        name: of its architecture, as `model_type` in config.json.
        vocabulary: the words of a world, by the world's seed, without the special ones.
        config: the rest of config.json besides vocabulary and special tokens, given size and token ids.
        languages: codes that end a text, source language first; empty if texts have none.
        reads_lines: whether its tokenizer takes a new line for `</s>` and ends no text by itself, as of a decoder.
    """

    name: str
    vocabulary: Callable[[int], Sequence[str]]
    config: Callable[[Size, Mapping[str, int]], dict[str, Any]]
    languages: tuple[str, ...] = ()
    reads_lines: bool = False


MINIATURES: Registry[Miniature] = Registry(Miniature, "miniature", package="unidelta.mini.miniatures")
"""Every shipped backbone by the name of its architecture."""
