"""Records as one table, a row per run."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from unidelta.errors import Problems, RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

_HEADLINE = {"xsum": "rouge2", "wmt_en_ro": "bleu", "mnli": "accuracy", "sst2": "accuracy"}


def headline(task: str, scale: str) -> str:
    """The metric of a task's tables: the paper's, and plain BLEU where the second language is the miniature's own."""
    return "bleu_romanian" if (task, scale) == ("wmt_en_ro", "paper") else _HEADLINE[task]


def runs(root: Path, *, scale: str | None = None) -> pd.DataFrame:
    """Every record under a folder: coordinates, settings, `percent` of parameters, `dev` and `test` scores.

    Scores are of `metric`. `dev` is where the best step was chosen and `test` what is reported: where a task has no
    test split, the first rows of dev and the whole of it.

    `s` is the scale of a scaled composition (Table 5), `prefix_init` how a prefix begins; NaN and "" without one.
    `dev` is NaN where nothing is generated on dev: the best step of a translator is chosen by `dev_loss`. Scores are of
    complete runs only; others have `status` and NaN.

    Args:
        root: folder of the records.
        scale: mini or paper; None takes both.

    Raises:
        RecordError: there are no records, or those of one task have scores of two metrics, which no table may mix.
        Problems: every record that is damaged.
    """
    listing = RecordStore(root=root).read_all()
    if listing.damaged:
        raise Problems(list(listing.damaged))
    records = [record for record in listing.records if scale in (None, record.coordinates["scale"])]
    if not records:
        raise RecordError(f"records under {root}", "there are none", "run the sweep first: `python sweep.py NAME`")
    rows = []
    for record in records:
        at, training = record.coordinates, record.spec["training"]
        metric = headline(at["task"], at["scale"])
        dev, test = _scores(record)
        parts = record.spec["design"].get("parts", [])
        rows.append(
            {
                **{name: at[name] for name in ("task", "method", "position", "seed", "scale", "source")},
                "run_id": record.run_id,
                "status": record.status,
                "percent": record.parameters["percent_matrices"],
                "trained": record.parameters["trained"],
                "learning_rate": training["learning_rate"],
                "steps": training["max_steps"],
                "s": next((part["scale"] for part in parts if part["composition"] == "scaled"), math.nan),
                "prefix_init": next((part["init"] for part in parts if part["form"] == "prefix"), ""),
                "seconds": record.cost["seconds"],
                "metric": metric,
                "dev": dev.get(metric),
                "dev_loss": dev.get("loss"),
                "test": test.get(metric),
                "mismatched": _of_first(record, "test_mismatched", "validation_mismatched").get("accuracy"),
            }
        )
    frame = pd.DataFrame(rows)
    scores = ["dev", "dev_loss", "test", "mismatched"]
    frame[scores] = frame[scores].astype(float)
    for task, its_runs in frame.groupby("task"):
        metrics = sorted(set(its_runs["metric"]))
        if len(metrics) > 1:
            why = f"{task} has {' and '.join(metrics)}, which do not compare"
            raise RecordError(f"one table of the records under {root}", why, "the runs of one scale")
    return frame


def _scores(record: RunRecord) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The numbers of the split that chose the best step, and of the one that is reported."""
    task = record.spec["task"]
    dev, test = task["eval_split"], task["test_split"]
    if test in (None, dev):
        return _of_first(record, f"{dev}[:{task['max_eval_examples']}]", dev), _of_first(record, dev)
    return _of_first(record, dev), _of_first(record, test)


def _of_first(record: RunRecord, *splits: str) -> Mapping[str, Any]:
    """The numbers of the first of these splits that the record has."""
    return next((record.metrics[split] for split in splits if split in record.metrics), {})
