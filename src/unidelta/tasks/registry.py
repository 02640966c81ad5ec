"""The closed set of tasks, by name."""

from unidelta.errors import ConfigError
from unidelta.tasks.glue import MNLI, SST2
from unidelta.tasks.task import TaskKind
from unidelta.tasks.wmt_en_ro import WMT_EN_RO
from unidelta.tasks.xsum import XSUM

TASKS: dict[str, TaskKind] = {kind.name: kind for kind in (XSUM, WMT_EN_RO, MNLI, SST2)}


def task_kind(name: str) -> TaskKind:
    """The task called `name`.

    Raises:
        ConfigError: no task has that name.
    """
    if name not in TASKS:
        raise ConfigError(f"task.name={name}", "There is no such task.", f"one of: {', '.join(TASKS)}")
    return TASKS[name]
