"""`TaskConfig` to `TaskSpec`: rows, lengths and decoding."""

from dataclasses import fields
from typing import Any

from unidelta.config.reading import leave
from unidelta.config.schema import GenerationConfig, RunConfig
from unidelta.design.architecture import Architecture
from unidelta.tasks.registry import TASKS
from unidelta.tasks.task import GenerationSpec, TaskSpec

_HUB = ("hub_id", "hub_config", "hub_revision")
_TARGETS = ("max_target_length", "eval_max_target_length")
_LANGUAGES = ("source_language", "target_language")
_ELSEWHERE = (*_HUB, *_TARGETS, *_LANGUAGES, "name", "source", "path", "test_split", "extra_eval_splits", "generation")
_GREEDY_PENALTY = GenerationConfig().length_penalty


def task_source(config: RunConfig) -> str:
    """Where rows come from: as asked, or the scale's own source."""
    if config.task.source != "scale":
        return config.task.source
    return "hub" if config.scale.name == "paper" else "mini"


def resolve_task(config: RunConfig, architecture: Architecture) -> TaskSpec:
    """The task of a run; what its source, its kind or its tokenizer leaves out is empty."""
    task, source = config.task, task_source(config)
    kind = TASKS[task.name]
    values: dict[str, Any] = {"name": task.name, "source": source, "path": None, "world": 0, "generation": None}
    values |= {name: getattr(task, name) for name in _names(TaskSpec) if name not in (*_ELSEWHERE, "world")}
    values |= {"hub_id": "", **dict.fromkeys((*_HUB[1:], *_LANGUAGES)), **dict.fromkeys(_TARGETS, 0)}
    if source == "hub":
        values |= {name: getattr(task, name) for name in _HUB}
    else:
        why = f"the rows are those of task.source={source}, not of the hub"
        leave(config, _keys(_HUB), why, "task.source=hub, or scale=paper")
    if source == "local":
        values["path"] = task.path
    if source == "mini":
        values["world"] = config.mini.seed
    if source == "mini" and kind.mini_test_splits:
        values |= {"test_split": kind.mini_test_splits[0], "extra_eval_splits": kind.mini_test_splits[1:]}
        why = f"the miniature of {kind.title} reports {', '.join(kind.mini_test_splits)}"
        leave(config, _keys(("test_split", "extra_eval_splits")), why, "leave it out, or task.source=hub")
    else:
        values |= {"test_split": task.test_split, "extra_eval_splits": tuple(task.extra_eval_splits)}
    if kind.kind == "seq2seq":
        values |= {name: getattr(task, name) or 0 for name in _TARGETS}
        values["generation"] = _generation(config)
    else:
        why = f"{kind.name} has labels for targets, which have no length in tokens"
        leave(config, _keys(_TARGETS), why, "leave it out, or task=xsum")
    if architecture.family.has_languages:
        values |= {name: getattr(task, name) for name in _LANGUAGES}
    else:
        why = f"the tokenizer of a {architecture.family.name} marks no languages"
        leave(config, _keys(_LANGUAGES), why, "leave it out, or backbone=mbart")
    return TaskSpec(**values)


def every_task_setting(config: RunConfig) -> TaskSpec:
    """The lengths and the decoding as they were asked for, read by this run or not: to be checked."""
    task = config.task
    values = {name: getattr(task, name) for name in _names(TaskSpec) if name != "world"}
    generation = task.generation and GenerationSpec(**{n: getattr(task.generation, n) for n in _names(GenerationSpec)})
    values |= {name: getattr(task, name) or 0 for name in _TARGETS}
    return TaskSpec(**{**values, "generation": generation})


def _generation(config: RunConfig) -> GenerationSpec | None:
    asked = config.task.generation
    if asked is None:
        return None
    values = {name: getattr(asked, name) for name in _names(GenerationSpec) if name != "length_penalty"}
    if asked.num_beams > 1:
        return GenerationSpec(**values, length_penalty=asked.length_penalty)
    why = "greedy search (task.generation.num_beams=1) compares no outputs of different lengths"
    leave(config, ["task.generation.length_penalty"], why, "leave it out, or task.generation.num_beams=6")
    return GenerationSpec(**values, length_penalty=_GREEDY_PENALTY)


def _names(spec: Any) -> list[str]:
    return [field.name for field in fields(spec)]


def _keys(names: tuple[str, ...]) -> list[str]:
    return [f"task.{name}" for name in names]
