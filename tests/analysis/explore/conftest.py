"""Runs as `unidelta.runs` has them, of methods, tasks and metrics that nobody shipped."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

_SETTINGS = {
    "design": {"kind": "deltas", "parts": [{"slot": "ffn", "bottleneck": 8}]},
    "method": "sandwich",
    "task": {"name": "menus"},
    "data": {"train": "0" * 64},
    "training": {"learning_rate": 0.001, "max_steps": 100},
}


@pytest.fixture
def run() -> Callable[..., dict[str, Any]]:
    """One run's row; what is given changes it, `settings` by dotted path."""

    def make(
        seed: int, score: float | None, settings: Mapping[str, Any] | None = None, **columns: Any
    ) -> dict[str, Any]:
        spec = json.loads(json.dumps(_SETTINGS))
        at = {"method": columns.get("method", "sandwich"), "task.name": columns.get("task", "menus")}
        for path, value in {**at, **(settings or {})}.items():
            *folders, name = path.split(".")
            place = spec
            for folder in folders:
                place = place[int(folder) if folder.isdigit() else folder]
            place[name] = value
        text = json.dumps(spec, sort_keys=True)
        row = {
            **{"task": "menus", "method": "sandwich", "position": "ffn", "scale": "mini", "source": "local"},
            **{"status": "complete", "reason": "", "key": "", "side": "", "bottlenecks": "8", "percent": 1.0},
            **{"s": float("nan"), "prefix_init": "", "seconds": 10.0, "metric": "ter", "lower_is_better": ""},
            **{"dev": score, "dev_loss": 1.0},
            **{"test": score, "ter": score, "seed": seed, "settings": text},
            "learning_rate": spec["training"]["learning_rate"],
            **columns,
        }
        return {"run_id": f"{hash((text, seed, row['scale'], row['task'])):x}", **row}

    return make


@pytest.fixture
def table(run) -> Callable[..., pd.DataFrame]:
    """A table of runs."""

    def make(*rows: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame(list(rows))

    return make
