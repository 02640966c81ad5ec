"""The contents of the documents: text and fenced blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unidelta.extensions.paths import CONF

ROOT = CONF.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a document: its language, the line it begins at, and its text."""

    path: Path
    line: int
    language: str
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a Markdown file."""
    text = path.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text[: found.start()].count("\n") + 2
        yield Block(path=path, line=line, language=found[1], text=found[2])
