"""Tasks: where rows come from, how they become token ids, how predictions are scored.

The names here import in milliseconds, for planning; `encode` and `collate` need torch and must be imported from their
own modules.
"""

from unidelta.tasks.columns import Columns
from unidelta.tasks.kind import KINDS, Kind
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.sources import Rows, commit, fingerprint, load, load_all, read_labels
from unidelta.tasks.task import GenerationSpec, Row, Selection, TaskSpec

__all__ = [
    "KINDS",
    "METRICS",
    "Columns",
    "GenerationSpec",
    "Kind",
    "Metric",
    "Row",
    "Rows",
    "Selection",
    "TaskSpec",
    "commit",
    "fingerprint",
    "load",
    "load_all",
    "read_labels",
]
