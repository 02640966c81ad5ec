"""Records for reports: real ones of the committed miniature, modified where a test needs it."""

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unidelta.analysis.runs import Runs
from unidelta.analysis.source import read
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

MAIN = Path(__file__).parents[2] / "results" / "mini" / "main"


@pytest.fixture(scope="session")
def real() -> dict[tuple[str, str, int], RunRecord]:
    """Committed records by method, task and seed."""
    found = RecordStore(root=MAIN).read_all().records
    at = ("method", "task", "seed")
    return {tuple(record.coordinates[name] for name in at): record for record in found}  # type: ignore[misc]


@pytest.fixture(scope="session")
def committed() -> Runs:
    """Every committed run of the miniature."""
    with contextlib.chdir(MAIN.parents[2]):
        return read("records", scale="mini")


@pytest.fixture(scope="session")
def run_of(real) -> Callable[..., RunRecord]:
    """A record of full fine-tuning, or of the prefix of 200, with a seed and a ROUGE-2 of one's own."""

    def make(method: str, seed: int, rouge2: float | None, **changes: Any) -> RunRecord:
        record = real[(method, "xsum", 31)]
        spec = json.loads(json.dumps(record.spec)) | {"seed": seed}
        if method == "prefix":
            spec["design"]["parts"][0]["bottleneck"] = prefix_of_mini(200, spec)
            spec["published_bottlenecks"] = {"attn": 200}
        metrics = {**record.metrics, "test": {**record.metrics["test"], "rouge2": rouge2}}
        return replace(
            record,
            run_id=hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16],
            spec=spec,
            coordinates={**record.coordinates, "seed": seed},
            metrics=metrics,
            **changes,
        )

    return make


def prefix_of_mini(length: int, spec: dict[str, Any]) -> int:
    """The prefix of the same share: l vectors of keys and of values in every attention, over all parameters."""
    here, n_here = spec["backbone"]["architecture"]["config"], 1_259_136
    share = length * 2 * 1024 * (12 + 2 * 12) / 406_291_456
    n_attentions = here["encoder_layers"] + 2 * here["decoder_layers"]
    return int(share * n_here / (2 * here["d_model"] * n_attentions) + 0.5)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., Path]:
    """Records in a folder."""

    def write(*records: RunRecord, into: str = "runs") -> Path:
        for record in records:
            RecordStore(root=tmp_path / into).write(record)
        return tmp_path / into

    return write
