"""The paper's four tasks: where rows come from, how they become token ids, how predictions are scored.

What is named here imports in milliseconds, for planning; `encode` and `collate` bring torch with them and
are imported by their own names.
"""

from unidelta.tasks.registry import TASKS, task_kind
from unidelta.tasks.sources import Rows, commit, fingerprint, load, load_all
from unidelta.tasks.task import GenerationSpec, Row, Selection, TaskKind, TaskSpec

__all__ = [
    "TASKS",
    "GenerationSpec",
    "Row",
    "Rows",
    "Selection",
    "TaskKind",
    "TaskSpec",
    "commit",
    "fingerprint",
    "load",
    "load_all",
    "task_kind",
]
