"""The language codes of a tokenizer, read from its files without heavy imports."""

import json
import re
from pathlib import Path

_CODE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")  # en_XX, ro_RO, eng_Latn


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
