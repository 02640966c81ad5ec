"""The runs of one scale, asked for by what was tuned and on what."""

from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from unidelta.analysis.score import Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Every run of one scale.

    Args:
        frame: a row for each run, as `frame.runs` makes it.
        scale: mini or paper.
        origin: where the runs come from, for messages: a folder or a W&B project.
    """

    frame: pd.DataFrame
    scale: Literal["mini", "paper"]
    origin: str

    def score(self, key: str, task: str, metric: str) -> Score:
        """What the runs of one side of a comparison scored; an empty score where there are none.

        Args:
            key: what was tuned, e.g. `pa_ffn@512` (see `sides`).
            task: xsum, wmt_en_ro, mnli or sst2.
            metric: as records name it, e.g. `rouge2`.

        Raises:
            RecordError: these runs differ by more than the seed.
        """
        rows = self.rows(key, task)
        done = sorted((row for row in rows if row["status"] == "complete"), key=lambda row: row["seed"])
        n_of = {
            status: sum(row["status"] == status for row in rows) for status in ("failed", "diverged", "interrupted")
        }
        return Score(
            values=tuple(float(row[metric]) for row in done),
            seeds=tuple(int(row["seed"]) for row in done),
            run_ids=tuple(row["run_id"] for row in done),
            n_failed=n_of["failed"],
            n_diverged=n_of["diverged"],
            n_interrupted=n_of["interrupted"],
        )

    def rows(self, key: str, task: str) -> list[dict[str, Any]]:
        """The rows of one side's runs on one task, all of them, complete or not."""
        mine = self.frame[(self.frame["key"] == key) & (self.frame["task"] == task)]
        return [{str(name): value for name, value in row.items()} for row in mine.to_dict("records")]
