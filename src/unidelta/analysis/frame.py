"""Records as one table, a row per run."""

import math
from pathlib import Path

import pandas as pd

from unidelta.errors import Problems, RecordError
from unidelta.records.store import RecordStore

HEADLINE = {"xsum": "rouge2", "wmt_en_ro": "bleu", "mnli": "accuracy", "sst2": "accuracy"}
"""The metric of each task's tables, in the paper and here."""


def runs(root: Path) -> pd.DataFrame:
    """Every record under a folder: coordinates, settings, `percent` of parameters, `dev` and `test` scores.

    `s` is the scale of a scaled composition (Table 5), `prefix_init` how a prefix begins; NaN and "" without one.
    `dev` is NaN where nothing is generated on dev: the best step of a translator is chosen by `dev_loss`. Scores are of
    complete runs only; others have `status` and NaN.

    Raises:
        RecordError: there are no records.
        Problems: every record that is damaged.
    """
    listing = RecordStore(root=root).read_all()
    if listing.damaged:
        raise Problems(list(listing.damaged))
    if not listing.records:
        raise RecordError(f"records under {root}", "there are none", "run the sweep first: `python sweep.py NAME`")
    rows = []
    for record in listing.records:
        at, training = record.coordinates, record.spec["training"]
        splits = record.spec["task"]["eval_split"], record.spec["task"]["test_split"]
        dev, test = (record.metrics.get(split, {}).get(HEADLINE[at["task"]]) for split in splits)
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
                "dev": dev,
                "dev_loss": record.metrics.get(splits[0], {}).get("loss"),
                "test": test,
                "mismatched": record.metrics.get("test_mismatched", {}).get("accuracy"),
            }
        )
    frame = pd.DataFrame(rows)
    scores = ["dev", "dev_loss", "test", "mismatched"]
    frame[scores] = frame[scores].astype(float)
    return frame
