"""What the files of a tokenizer in a folder say, read without heavy imports.

transformers makes an empty tokenizer from a folder without tokenizer files: every text becomes the same few ids.
"""

import json
import re
from pathlib import Path

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
_CODE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")  # en_XX, ro_RO, eng_Latn


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


def languages_of(folder: Path) -> tuple[str, ...]:
    """The language codes among the special tokens of a tokenizer in a folder, in order of id.

    Empty if it has none or if its files cannot be read: loading the tokenizer then reports what is wrong.
    """
    try:
        content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        tokens = [str(token["content"]) for token in content["added_tokens"]]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(token for token in tokens if _CODE.fullmatch(token))


def has_chat_template(folder: Path) -> bool:
    """Whether the folder has a chat template; false too if its files cannot be read, which loading reports."""
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        content = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool(content.get("chat_template"))
