"""Tracking does not change a run, and W&B gets its history and its record."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unidelta.records.record import RunRecord, from_json
from unidelta.records.store import RecordStore
from unidelta.tracking.tracker import summary

ROOT = Path(__file__).parents[2]
FEW = (
    "method=bitfit task=sst2 training.max_steps=6 training.eval_every=3 task.max_train_examples=40 "
    "task.max_eval_examples=8 task.max_test_examples=8 training.progress=false"
).split()


def train(results: Path, home: Path, *typed: str) -> tuple[RunRecord, list[str]]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HOME": str(home)}
    command = [sys.executable, "train.py", *FEW, *typed, f"results_dir={results}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = results.glob("mini/sst2/*.json")
    return from_json(path.read_text(encoding="utf-8"), origin=str(path)), done.stdout.splitlines()


def rows(results: Path, suffix: str) -> list[dict[str, Any]]:
    (path,) = results.glob(f"mini/sst2/*.{suffix}.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_tracked_run_is_the_run_and_wandb_has_all_of_it(tmp_path: Path):
    alone, printed = train(tmp_path / "none", tmp_path, "tracking=none")
    tracked, printed_too = train(tmp_path / "wandb", tmp_path, "tracking.mode=offline")
    assert not (tmp_path / "none" / "wandb").exists()
    assert alone.provenance["tracking"] == {"kind": "none", "note": None}
    assert tracked.provenance["tracking"] == {"kind": "wandb", "mode": "offline", "note": None}
    for part in ("run_id", "status", "coordinates", "spec", "parameters", "metrics"):
        assert getattr(alone, part) == getattr(tracked, part)
    assert len(printed) == len(printed_too)
    assert len(RecordStore(root=tmp_path / "wandb").read_all().records) == 1  # W&B's files are no records

    (path,) = (tmp_path / "wandb").glob("wandb/offline-run-*/*.wandb")
    command = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    items = [json.loads(line) for line in done.stdout.splitlines()]
    history: dict[int, dict[str, Any]] = {}
    for entry in rows(tmp_path / "wandb", "history"):
        history.setdefault(entry["step"], {}).update(entry)
    kept = [item["history"]["item"] for item in items if item["type"] == "history"]
    others = ("_", "predictions", "step_seconds", "tokens_per_second")  # W&B's own, and what the clock says
    own = [{k: v for k, v in row.items() if not k.startswith(others)} for row in kept]
    assert own == list(history.values())
    last = {k: v for item in items if item["type"] == "summary" for k, v in item["summary"]["update"].items()}
    assert last.items() >= summary(tracked).items()
    config = next(item["run"]["config"]["update"] for item in items if item["type"] == "run")
    config.pop("_wandb", None)
    assert config == {**tracked.coordinates, "spec": tracked.spec}
    (table,) = path.parent.glob("files/media/table/*.json")
    shown = json.loads(table.read_text(encoding="utf-8"))
    assert [dict(zip(shown["columns"], row, strict=True)) for row in shown["data"]] == rows(
        tmp_path / "wandb", "predictions"
    )


@pytest.mark.slow
@pytest.mark.parametrize("unusable", [{}, {"HOME": ""}, {"HOME": "/proc"}, {"WANDB_CACHE_DIR": "/dev/null/cache"}])
def test_without_a_home_tracking_says_nothing_on_standard_error(unusable: dict[str, str], tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    few = "task.max_train_examples=8 task.max_eval_examples=4 task.max_test_examples=4 training.progress=false"
    command = [sys.executable, "train.py", "method=frozen", "task=sst2", *few.split(), f"results_dir={tmp_path}"]
    environment = {**kept, "HF_HUB_OFFLINE": "1", "WANDB_MODE": "offline", **unusable}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert not (ROOT / ".wandb_cache").exists()
