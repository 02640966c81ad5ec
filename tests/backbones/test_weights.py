"""The source of weights is decided once, by what the user typed."""

import shutil
from pathlib import Path

import pytest

from unidelta.backbones.hub import Hub
from unidelta.backbones.local import Local
from unidelta.backbones.shipped import BACKBONES, Shipped
from unidelta.backbones.weights import weights_of
from unidelta.run.prepare import prepare

from ..composed import composed


def test_each_kind_of_source_is_told_from_the_others(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "name").mkdir()
    own = Path(shutil.copytree(BACKBONES / "bart", tmp_path / "own"))

    def found(checkpoint: str | None, published: str | None = None):
        return weights_of(checkpoint, family="bart", revision="v1", published=published)

    assert found(None) == Shipped(family="bart", folder=BACKBONES / "bart")
    assert found(None, "owner/name") == Hub(family="bart", name="owner/name", revision="v1", is_published=True)
    assert found("owner/name") == Hub(family="bart", name="owner/name", revision="v1")
    assert found(str(own)) == Shipped(family="bart", folder=own)
    for folder in ("name", "./nowhere", "~/nowhere", "a/b/c", str(tmp_path)):
        assert found(folder) == Local(family="bart", typed=folder)


@pytest.mark.parametrize(
    ("typed", "fingerprint"), [("scale=paper", "facebook/bart-large@"), ("scale=mini", "0123456789abcdef")]
)
def test_a_run_carries_its_source(typed: str, fingerprint: str) -> None:
    weights = prepare(composed(["task=xsum", typed, "dry_run=true"])).backbone.weights
    known = weights.fingerprint()
    assert known.startswith(fingerprint) or set(known) <= set(fingerprint)


def test_a_folder_below_home_is_read_from_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = Path(shutil.copytree(BACKBONES / "bart", tmp_path / "own"))
    (folder / "provenance.json").unlink()
    weights = weights_of("~/own", family="bart", revision=None, published=None)
    other = weights_of(str(folder), family="bart", revision=None, published=None)
    assert isinstance(weights, Local)
    assert weights.folder == folder
    assert weights.fingerprint() == other.fingerprint()
    known = weights.fingerprint()
    (folder / "README.md").write_text("mine")
    assert weights.fingerprint() == known
    for name in ("tokenizer.json", "special_tokens_map.json"):  # a run with another tokenizer is another run
        (folder / name).write_text((folder / name).read_text() + " " if (folder / name).is_file() else "{}")
        assert weights.fingerprint() != known
        known = weights.fingerprint()
