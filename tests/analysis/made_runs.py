"""The paper's pairs, and runs made by hand for them."""

from functools import cache
from pathlib import Path

import pandas as pd

from unidelta.analysis.claims import CLAIMS, claims
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.paper_pairs import Pair, of_claims, of_rows
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.runs import Runs

ROOT = Path(__file__).parents[2]
PRINTED = published(ROOT / FIGURES)


@cache
def claimed() -> dict[str, Pair]:
    return {pair.name: pair for pair in of_claims(claims(PRINTED, ROOT / CLAIMS), PRINTED)}


@cache
def every() -> tuple[Pair, ...]:
    return of_rows(PRINTED)


def runs_of(scores: dict[tuple[str, str, str], list[float]]) -> Runs:
    """Complete runs by key, task and metric as records name them."""
    rows: dict[tuple[str, str, int], dict] = {}
    for (key, task, metric), values in scores.items():
        for seed, value in enumerate(values):
            row = rows.setdefault((key, task, seed), {"key": key, "task": task, "seed": seed, "status": "complete"})
            row |= {metric: value, "run_id": f"{key}-{seed}"}
    return Runs.of(pd.DataFrame(list(rows.values()) or {"key": [], "task": []}), scale="mini", origin="runs")


def as_printed(pairs, change) -> Runs:
    """Runs with the printed values, changed: `change` has a value of each design of a task and metric."""
    values: dict[tuple[str, str, str], float] = {}
    for pair in pairs:
        for side in pair.sides:
            at = (side.key, task_in_records(pair.task), metric_in_records(pair.metric, "mini"))
            values.setdefault(at, side.value)
    return runs_of({at: change(value) for at, value in values.items()})


def at(pair: Pair, place: int) -> tuple[str, str, str]:
    return pair.sides[place].key, task_in_records(pair.task), metric_in_records(pair.metric, "mini")
