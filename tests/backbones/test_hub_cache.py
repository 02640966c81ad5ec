"""What the local cache knows about a hub id; the cache has the layout of `huggingface_hub`."""

from pathlib import Path

import huggingface_hub.constants
import pytest

from unidelta.backbones.hub import Hub
from unidelta.errors import BackboneError

COMMIT, OTHER = "a" * 40, "b" * 40


@pytest.fixture
def cache(monkeypatch, tmp_path: Path) -> None:
    """One checkpoint, whose main branch is at COMMIT; the hub is switched off."""
    repository = tmp_path / "models--someone--small"
    for folder in ("refs", f"snapshots/{COMMIT}"):
        (repository / folder).mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "snapshots" / COMMIT / "config.json").write_text("{}")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize(("revision", "commit"), [(None, COMMIT), ("main", COMMIT), (COMMIT, COMMIT), (OTHER, None)])
def test_the_cache_says_which_commit_a_revision_is(cache, revision: str | None, commit: str | None) -> None:
    assert Hub(family="bart", name="someone/small", revision=revision).commit() == commit
    assert Hub(family="bart", name="someone/else", revision=revision).commit() is None


def test_a_checkpoint_of_another_commit_is_not_there(cache) -> None:
    Hub(family="bart", name="someone/small", revision=COMMIT).check()
    with pytest.raises(BackboneError) as caught:
        Hub(family="bart", name="someone/small", revision=OTHER).check()
    assert caught.value.asked == f"backbone.checkpoint=someone/small backbone.hub_revision={OTHER}"
    assert "HF_HUB_OFFLINE" in caught.value.why
