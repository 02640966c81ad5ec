"""Everything that must be equal for two runs if one of them was killed and resumed."""

import json
from pathlib import Path
from typing import Any

from unidelta.records.store import RecordStore


def outcome(results: Path) -> dict[str, Any]:
    """Everything of the one run in a folder that has to be equal to the last bit; floats as they are written."""
    (history,) = results.rglob("*.history.jsonl")
    (record,) = RecordStore(root=results).read_all().records
    entries = [json.loads(line, parse_float=str) for line in history.read_text(encoding="utf-8").splitlines()]
    for entry in entries:
        entry.pop("eval_seconds", None)
    (deltas,) = results.rglob("deltas.safetensors")
    (predictions,) = results.rglob("*.predictions.jsonl")
    return {
        "status": record.status,
        "history": entries,
        "metrics": record.metrics,
        "best": record.cost["best_step"],
        "deltas": deltas.read_bytes(),
        "predictions": predictions.read_bytes(),
    }
