"""What would be uploaded to the hub, and what is refused: nothing here leaves this machine."""

import errno
import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

import unidelta
from unidelta.errors import ExchangeError
from unidelta.network import hub

from .cases import design_of, lora, stock

FILES = {
    "saved": {"README.md", "deltas.safetensors", "design.json"},
    "peft": {"README.md", "adapter_config.json", "adapter_model.safetensors"},
    "merged": {"README.md", "config.json", "generation_config.json", "model.safetensors"},
}


def folder_of(kind: str, folder: Path) -> Path:
    """A folder as it is published."""
    deltas = unidelta.inject(stock("bart"), design_of("bart", (lora("attn", "query"),)))
    if kind == "saved":
        deltas.save(folder)
    else:
        unidelta.export(deltas.model, folder, to=kind)
    return folder


@pytest.fixture
def calls(monkeypatch) -> list[tuple[str, dict[str, Any]]]:
    """What the hub would be asked for, in order."""
    made: list[tuple[str, dict[str, Any]]] = []

    def create(api: object, repo_id: str, **words: Any) -> None:
        made.append(("create", {"repo_id": repo_id, **words}))

    def upload(api: object, **words: Any) -> str:
        made.append(("upload", words))
        return f"https://huggingface.co/{words['repo_id']}/tree/main"

    monkeypatch.setattr(hub, "why_unreachable", lambda: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", create)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload)
    return made


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("kind", FILES)
def test_a_folder_goes_whole_into_a_repository_that_is_made_for_it(kind, private, calls, tmp_path):
    folder = folder_of(kind, tmp_path / "mine")
    address = unidelta.push_to_hub(str(folder), "owner/name", private=private)
    assert address == "https://huggingface.co/owner/name/tree/main"
    asked = {"repo_id": "owner/name", "folder_path": folder, "commit_message": "Upload with unidelta"}
    assert calls == [
        ("create", {"repo_id": "owner/name", "private": private, "exist_ok": True}),
        ("upload", asked),  # without patterns: all files
    ]
    assert {path.name for path in folder.iterdir()} == FILES[kind]
    library = {"saved": "unidelta", "merged": "transformers"}.get(kind, kind)
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"---\nlibrary_name: {library}\nlicense:")


def test_a_repository_is_private_unless_it_is_asked_to_be_public(calls, tmp_path):
    unidelta.push_to_hub(folder_of("saved", tmp_path / "mine"), "owner/name")
    assert calls[0][1]["private"] is True


REFUSALS = {
    "no permission": (
        HfHubHTTPError("403 Forbidden: not yours.\n\nMore.", response=Mock(headers={})),
        "403 Forbidden: not yours",
    ),
    "no token": (LocalTokenNotFoundError("Token is required."), "Token is required"),
    "no name": (ValueError("Repo id must be in the form 'namespace/repo_name'"), "Repo id must be in the form"),
    "a broken line": (ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), "Connection reset"),
}


@pytest.mark.parametrize("step", ["create_repo", "upload_folder"])
@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_hub_refuses_is_said_in_three_lines(case, step, calls, tmp_path, monkeypatch):
    error, told = REFUSALS[case]

    def fail(*args: object, **words: object) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, step, fail)
    with pytest.raises(ExchangeError, match="owner/name") as refusal:
        unidelta.push_to_hub(folder_of("saved", tmp_path / "mine"), "owner/name")
    assert told in refusal.value.why and not refusal.value.why.endswith(".") and "\n" not in refusal.value.why
    assert "hf auth login" in refusal.value.instead and "OWNER/NAME" in refusal.value.instead


@pytest.mark.parametrize("repository", ["a/b/c", "owner/na me", ".."])
def test_the_library_itself_refuses_what_is_no_name(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "why_unreachable", lambda: None)
    with pytest.raises(ExchangeError, match="OWNER/NAME"):
        unidelta.push_to_hub(folder_of("saved", tmp_path / "mine"), repository)


@pytest.mark.parametrize("folder", ["", "absent"])
def test_a_folder_without_a_card_or_a_switched_off_hub_asks_for_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", lambda *_, **__: pytest.fail("the hub was asked"))
    with pytest.raises(ExchangeError, match=r"there is no README.md"):
        unidelta.push_to_hub(tmp_path / folder, "owner/name")
    (tmp_path / "README.md").write_text("# Deltas")
    with pytest.raises(ExchangeError, match=r"switched off \(HF_HUB_OFFLINE\)"):
        unidelta.push_to_hub(tmp_path, "owner/name")
