"""Whether a tokenizer in a folder knows how to write a conversation, read from its files without heavy imports."""

import json
from pathlib import Path


def has_chat_template(folder: Path) -> bool:
    """Whether the folder has a chat template; false too if its files cannot be read, which loading reports."""
    if (folder / "chat_template.jinja").is_file():
        return True
    try:
        content = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool(content.get("chat_template"))
