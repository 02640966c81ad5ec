"""A complete record with every field filled."""

import pytest

from unidelta.records import RunRecord, run_id

SPEC = {"task": {"name": "sst2"}, "seed": 42, "training": {"learning_rate": 1e-4}}


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        run_id=run_id(SPEC),
        status="complete",
        coordinates={"scale": "mini", "task": "sst2", "method": "mam", "seed": 42},
        spec=SPEC,
        parameters={"trained": 1000, "stored": 800},
        metrics={"validation": {"accuracy": 91.25, "signature": "accuracy|percent"}},
        cost={"seconds": 12.5},
        provenance={"git": {"commit": None, "is_dirty": None}, "device": "cpu"},
    )
