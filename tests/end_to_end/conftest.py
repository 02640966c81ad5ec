"""A local world for whole runs: a tiny checkpoint saved to disk and rows in the datasets' own columns."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from unidelta.config.compose import compose
from unidelta.mini import rows
from unidelta.mini.placeholder import backbone
from unidelta.records.record import RunRecord
from unidelta.run import run

SPLITS = {
    "sst2": ("train", "validation"),
    "mnli": ("train", "validation_matched", "validation_mismatched"),
    "xsum": ("train", "validation", "test"),
    "wmt_en_ro": ("train", "validation", "test"),
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with config.json, model.safetensors and tokenizer of one family, random weights."""
    made: dict[str, Path] = {}

    def folder(family: str) -> Path:
        if family not in made:
            made[family] = tmp_path_factory.mktemp(f"tiny-{family}")
            model, tokenizer = backbone(family, seed=1, n_labels=3 if family == "roberta" else 2)
            model.save_pretrained(made[family])
            tokenizer.save_pretrained(made[family])
        return made[family]

    return folder


@pytest.fixture
def data(tmp_path: Path) -> Callable[[str], Path]:
    """A folder of JSONL splits of one task."""

    def folder(task: str) -> Path:
        path = tmp_path / f"data-{task}"
        path.mkdir()
        for split in SPLITS[task]:
            lines = (json.dumps(row) + "\n" for row in rows(task, split, seed=3))
            (path / f"{split}.jsonl").write_text("".join(lines), encoding="utf-8")
        return path

    return folder


@pytest.fixture
def do(tmp_path: Path) -> Callable[..., RunRecord]:
    """Run overrides in this process, with records under the test's own folder."""

    def run_overrides(*overrides: str) -> RunRecord:
        common = [f"results_dir={tmp_path / 'runs'}", "training.progress=false", "training.max_steps=3"]
        common += ["task.max_eval_examples=8", "task.max_test_examples=8"]
        typed = {override.split("=")[0] for override in overrides}
        kept = [override for override in common if override.split("=")[0] not in typed]
        record = run(compose([*kept, *overrides]), command=["train.py", *overrides])
        assert record is not None
        return record

    return run_overrides
