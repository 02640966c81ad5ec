"""Provenance of a run, and redaction of secrets."""

import json
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from unidelta.records import provenance
from unidelta.records.redact import redact

NOON = datetime(2026, 1, 2, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def origin(checkout: Path, command: list[str] | None = None) -> dict:
    return provenance(command=command or ["train.py"], device="cpu", checkout=checkout, clock=lambda: NOON)


def test_the_clock_is_an_argument_and_time_is_utc(tmp_path: Path) -> None:
    assert origin(tmp_path)["time_utc"] == "2026-01-02T12:00:00+00:00"
    now = provenance(command=[], device="cpu", checkout=tmp_path)["time_utc"]
    assert abs(datetime.fromisoformat(now) - datetime.now(UTC)) < timedelta(minutes=1)


def test_commit_and_changes_are_those_of_the_checkout(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "untracked.txt").touch()
    clean = origin(tmp_path)["git"]
    assert clean == {"commit": git(tmp_path, "rev-parse", "HEAD"), "is_dirty": False}
    (tmp_path / "a.py").write_text("2")
    assert origin(tmp_path)["git"] == {**clean, "is_dirty": True}


def test_the_repository_around_an_installed_package_is_not_its_own(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "thesis.tex").write_text("1")
    git(tmp_path, "add", "thesis.tex")
    git(tmp_path, "commit", "-qm", "first")
    package = tmp_path / ".venv" / "lib" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert origin(package)["git"] == {"commit": None, "is_dirty": None}


def test_what_git_cannot_say_is_none(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert origin(tmp_path)["git"] == {"commit": None, "is_dirty": None}
    assert origin(tmp_path / "absent")["git"] == {"commit": None, "is_dirty": None}


def test_versions_and_machine_are_there_and_all_is_json(tmp_path: Path) -> None:
    said = origin(tmp_path)
    assert said["packages"].keys() >= {"torch", "transformers", "datasets", "numpy", "unidelta"}
    assert said["packages"]["torch"].startswith("2.")
    assert said["device"] == "cpu"
    assert said["python"].count(".") == 2
    json.dumps(said, allow_nan=False)


@pytest.mark.parametrize(
    ("argument", "written"),
    [
        ("tracking.api_key=abcdefgh", "tracking.api_key=***"),
        ("+hf_token=abc", "+hf_token=***"),
        ("PASSWORD=x1y2", "PASSWORD=***"),
        ("url=https://me:pass@host/x", "url=https://***@host/x"),
        ("note=hf_abcdefghijklmnopqrstuv", "note=***"),
        ("id=" + "0f" * 20, "id=***"),
        ("note=canary-value", "note=***"),
    ],
)
def test_secrets_are_redacted(argument: str, written: str) -> None:
    environment = {"WANDB_API_KEY": "canary-value", "HOME": "/home/me"}
    assert redact(["train.py", argument], environment=environment) == ["train.py", written]


def test_the_value_after_a_secret_flag_is_redacted() -> None:
    assert redact(["x", "--token", "abc", "y"], environment={}) == ["x", "--token", "***", "y"]


@pytest.mark.parametrize(
    "argument",
    [
        "num_tokens=4096",
        "use_cls_token=true",
        "model.pad_token=1",
        "training.learning_rate=1e-4",
        "task.text_key=sentence",
        "token=",
        "task.path=/data/secret_garden",
        "method=mam",
    ],
)
def test_ordinary_settings_stay_readable(argument: str) -> None:
    environment = {"HF_TOKEN": "mam", "HOME": "sentence"}
    assert redact([argument], environment=environment) == [argument]


def test_a_secret_on_the_command_line_does_not_reach_the_record(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "canary-value")
    assert "canary" not in json.dumps(origin(tmp_path, ["train.py", "name=canary-value"]))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("task.path=/home/someone/reviews", "task.path=.../reviews"),
        ("backbone.checkpoint=~/models/own", "backbone.checkpoint=.../own"),
        ("'task.path=/data of mine/x'", "'task.path=.../x'"),
        ("hydra.launcher.gpus=[/dev/a,/dev/b]", "hydra.launcher.gpus=[.../a,.../b]"),
        ("/opt/somewhere/train.py", ".../train.py"),
        ("task.path=~someone/reviews", "task.path=.../reviews"),
        ("~tracking", "~tracking"),
        ("results_dir=results/runs", "results_dir=results/runs"),
        ("task.prompt=yes/no: {source}", "task.prompt=yes/no: {source}"),
        ("task.hub_id=https://someone.example/a/b", "task.hub_id=https://someone.example/a/b"),
        ("method=mam", "method=mam"),
    ],
)
def test_a_folder_of_a_person_does_not_reach_the_record(tmp_path: Path, typed: str, kept: str) -> None:
    assert origin(tmp_path, ["train.py", typed])["command"] == ["train.py", kept]
