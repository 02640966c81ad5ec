"""The runs of one scale, looked up by design and task."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from unidelta.analysis.frame import Row, rows
from unidelta.analysis.names import Scale, metric_in_records, task_in_records
from unidelta.analysis.oracle import oracle
from unidelta.analysis.score import Score, bounds_of, score_of_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Every run of one scale. Made by `of`.

    Args:
        frame: a row for each run, from `frame.runs`.
        scale: mini or paper.
        origin: where the runs come from, for messages: a folder or a W&B project.
        by_side: the rows by key (see `paper_rows`) and task, as records name it.
    """

    frame: pd.DataFrame
    scale: Scale
    origin: str
    by_side: Mapping[tuple[str, str], tuple[Row, ...]]

    @classmethod
    def of(cls, frame: pd.DataFrame, *, scale: Scale, origin: str) -> "Runs":
        """The runs in a frame."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in rows(frame):
            found.setdefault((row["key"], row["task"]), []).append(row)
        return cls(frame=frame, scale=scale, origin=origin, by_side={side: tuple(mine) for side, mine in found.items()})

    def rows(self, key: str, task: str) -> tuple[Row, ...]:
        """The rows of one side's runs on one task, complete or not; arguments as for `score`."""
        return self.by_side.get((key, task_in_records(task)), ())

    def score(self, key: str, task: str, metric: str) -> Score:
        """The scores of the runs of one side of a comparison; an empty score if there are none.

        Args:
            key: the design, e.g. `pa_ffn@512` (see `paper_rows`).
            task, metric: their names in `results/paper/`, e.g. `xsum` and `R2`.
        """
        name = metric_in_records(metric, self.scale)
        rows = sorted(self.rows(key, task), key=lambda row: row["seed"])
        return score_of_runs(rows, lambda row: float(row[name]), bounds=bounds_of(name))

    def oracle(self, task: str, metric: str) -> float | None:
        """What the oracle scores where these runs are scored; None where nobody knows it."""
        at = (task_in_records(task), metric_in_records(metric, self.scale))
        return oracle(*at, scale=self.scale, source=self.scale)
