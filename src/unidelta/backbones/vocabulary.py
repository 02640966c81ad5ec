"""Whether a checkpoint has a tokenizer, and whether it is the one that its embeddings were made for.

transformers makes an empty tokenizer from a folder without tokenizer files: every text becomes the same few ids.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from unidelta.errors import BackboneError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAVE_BOTH = "model.save_pretrained(DIR) and tokenizer.save_pretrained(DIR)"
"""What makes a whole checkpoint of a model and its tokenizer."""

_FILES = (
    ("tokenizer.json",),
    ("vocab.txt",),
    ("vocab.json", "merges.txt"),
    ("sentencepiece.bpe.model",),
    ("spiece.model",),
    ("tokenizer.model",),
)
"""Files that make a tokenizer, any of these."""
_BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja")
"""Files that change what it does."""
_MOST_ROWS_MORE_OR_LESS = 0.1  # tables are padded to round numbers: 28 rows of T5's 32,128


def tokenizer_files(folder: Path) -> list[Path]:
    """The files of a folder's tokenizer, in alphabetical order."""
    names = {*_BESIDE, *(name for names in _FILES for name in names)}
    return [path for name in sorted(names) if (path := folder / name).is_file()]


def missing_tokenizer(folder: Path) -> str | None:
    """What a folder lacks of a tokenizer's files, in words; None where it has one."""
    if any(all((folder / name).is_file() for name in names) for names in _FILES):
        return None
    if (folder / "vocab.json").is_file():
        return "it has vocab.json without merges.txt, which is half a tokenizer"
    return f"it has no tokenizer: none of {', '.join(' with '.join(names) for names in _FILES)}"


def check_vocabulary(tokenizer: "PreTrainedTokenizerBase", *, n_embeddings: int, asked: str) -> None:
    """Refuse a tokenizer that was made for other embeddings.

    Args:
        tokenizer: as it was loaded.
        n_embeddings: rows of the model's embedding table.
        asked: the words in which the checkpoint was asked for.

    Raises:
        BackboneError: it has special tokens only, or a number of tokens far from the number of embeddings.
    """
    n_tokens, instead = len(tokenizer), f"the tokenizer of the checkpoint in its folder: {SAVE_BOTH}"
    if n_tokens <= len(tokenizer.all_special_ids):
        why = f"its tokenizer knows {n_tokens} special tokens and no other; the model has {n_embeddings:,} embeddings"
        raise BackboneError(asked, why, instead)
    if abs(n_tokens - n_embeddings) > _MOST_ROWS_MORE_OR_LESS * n_embeddings:
        why = f"its tokenizer has {n_tokens:,} tokens and the model {n_embeddings:,} embeddings: they do not match"
        raise BackboneError(asked, why, instead)
