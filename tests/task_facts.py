"""Tasks with everything filled in, so that a test states only what it is about."""

from functools import cache
from typing import Any

from unidelta.config.resolve_task import resolve_task
from unidelta.design.family import FAMILIES
from unidelta.tasks import GenerationSpec, TaskSpec

from .composed import composed

_FACTS = ("title", "kind", "columns", "labels", "metrics", "select_by")
_GENERATION = GenerationSpec(num_beams=2, max_length=8, min_length=1, no_repeat_ngram_size=0, length_penalty=1.0)


@cache
def facts(name: str) -> dict[str, Any]:
    """What conf/task/ says of a task: kind, columns, labels and metrics."""
    config = composed([f"task={name}", "task.source=mini"])
    task, problems = resolve_task(config, FAMILIES[config.backbone.family])
    assert task is not None and not problems
    return {"name": name, **{fact: getattr(task, fact) for fact in _FACTS}}


def task_spec(name: str, **changes: Any) -> TaskSpec:
    """A task of the given name; keywords replace its defaults."""
    known = facts(name)
    settings: dict[str, Any] = {
        **known,
        "source": "local",
        "path": None,
        "hub_id": "someone/something",
        "hub_config": None,
        "hub_revision": None,
        "max_source_length": 16,
        "max_target_length": 12,
        "eval_max_target_length": 8,
        "eval_split": "validation",
        "test_split": None,
        "extra_eval_splits": (),
        "max_train_examples": None,
        "max_eval_examples": None,
        "max_test_examples": None,
        "source_language": "en_XX" if known["kind"] == "translation" else None,
        "target_language": "ro_RO" if known["kind"] == "translation" else None,
        "generation": None if known["kind"] == "classification" else _GENERATION,
    }
    return TaskSpec(**{**settings, **changes})
