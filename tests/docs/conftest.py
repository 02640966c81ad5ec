"""What the documents hold: their text, their fenced blocks, and a configuration that has their own files too."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from unidelta.config import compose, design_space, overrides
from unidelta.paths import CONF

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


def written_configuration(folder: Path) -> Path:
    """`conf/` and the YAML files that the documents show, in a folder of their own."""
    conf = folder / "conf"
    shutil.copytree(CONF, conf)
    for path in sorted((ROOT / "docs").glob("*.md")):
        before = path.read_text(encoding="utf-8").splitlines()
        for block in blocks(path):
            if block.language == "yaml":  # the sentence in front says which file it is
                names = re.findall(r"`conf/([\w/-]+\.yaml)`", before[block.line - 4])
                assert len(names) == 1, f"{path.name}:{block.line} does not say which file it is"
                assert not (conf / names[0]).exists(), f"{path.name} shows a file that exists: {names[0]}"
                (conf / names[0]).write_text(block.text, encoding="utf-8")
    return conf


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a configuration in which the documents' own methods exist."""
    conf = written_configuration(tmp_path)
    for module in (compose, overrides, design_space):
        monkeypatch.setattr(module, "CONF", conf)
    return tmp_path
