"""The task of a configuration: kind, columns, metrics and source, all problems at once, no data."""

from collections.abc import Iterator
from dataclasses import fields

from unidelta.config.schema import RunConfig, TaskConfig
from unidelta.design.family import FAMILIES, Family
from unidelta.errors import ConfigError, UserError
from unidelta.tasks.columns import Columns
from unidelta.tasks.kind import KINDS, Kind, Output
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.task import GenerationSpec, TaskSpec

_BACKBONES_OF: dict[Output, str] = {"text": "encoder-decoder", "label": "encoder"}
_IS = {
    "encoder-decoder": "is an encoder-decoder without a classification head",
    "encoder": "has no decoder",
    "decoder": "is a decoder alone, for which no task is made yet",
}
_UNKNOWN_LABELS = 2  # as long as nobody has read the rows


def n_labels(task: TaskConfig) -> int:
    """The number of classes of a task; 0 where text is generated, two where only the rows would say it."""
    if task.kind in KINDS and KINDS[task.kind].output == "label":
        return len(task.labels) if task.labels is not None else _UNKNOWN_LABELS
    return 0


def task_source(config: RunConfig) -> str:
    """Where rows come from: as asked, or the scale's own source."""
    if config.task.source != "scale":
        return config.task.source
    return "hub" if config.scale.name == "paper" else "mini"


def resolve_task(config: RunConfig, family: Family) -> tuple[TaskSpec | None, list[UserError]]:
    """The task, as far as it can be told without its rows, and everything that is wrong with it.

    Args:
        config: the composed configuration; its labels are None where they are still to be read.
        family: of the backbone.

    Returns:
        The task, None where no task can be made of it; the problems.
    """
    task = config.task
    if task.kind not in KINDS:
        why = f"the kinds are {', '.join(KINDS)}"
        return None, [ConfigError(f"task.kind={task.kind} of task={task.name}", why, "task.kind=summarization")]
    kind = KINDS[task.kind]
    problems = [
        *_check_backbone(task, kind, family),
        *_check_columns(task, kind),
        *_check_labels(task, kind),
        *_check_metrics(task, kind),
        *_check_source(task, task_source(config)),
    ]
    if kind.output == "text" and task.generation is None:
        why = f"a task of kind {kind.name} generates, and its file does not say how"
        problems.append(ConfigError(f"task={task.name}", why, "generation: {num_beams: 1, max_length: 60} in its file"))
    return (None if any(name not in METRICS for name in task.metrics) or not task.metrics else _spec(config)), problems


def _spec(config: RunConfig) -> TaskSpec:
    task, source, generates = config.task, task_source(config), KINDS[config.task.kind].output == "text"
    names = {f.name for f in fields(TaskSpec)} & {f.name for f in fields(TaskConfig)}
    generation = None
    if generates and task.generation is not None:
        generation = GenerationSpec(**{f.name: getattr(task.generation, f.name) for f in fields(GenerationSpec)})
    reported = (task.test_split, tuple(task.extra_eval_splits))
    if source == "mini" and task.mini_test_splits:
        reported = (task.mini_test_splits[0], tuple(task.mini_test_splits[1:]))
    return TaskSpec(
        **{
            **{name: getattr(task, name) for name in names},
            "title": task.title or task.name,
            "columns": Columns(**{f.name: getattr(task.columns, f.name) for f in fields(Columns)}),
            "labels": tuple(task.labels or ()),
            "metrics": tuple(dict.fromkeys(task.metrics)),
            "select_by": task.select_by or METRICS[task.metrics[0]].headline,
            "source": source,
            "path": task.path if source == "local" else None,
            "hub_id": (task.path if source == "hub" else None) or task.hub_id,
            "hub_revision": task.hub_revision if source == "hub" else None,
            "test_split": reported[0],
            "extra_eval_splits": reported[1],
            "max_target_length": (generates and task.max_target_length) or 0,
            "eval_max_target_length": (generates and task.eval_max_target_length) or 0,
            "generation": generation,
            "world": config.mini.seed,
        }
    )


def _check_backbone(task: TaskConfig, kind: Kind, family: Family) -> Iterator[UserError]:
    needed = _BACKBONES_OF[kind.output]
    if family.kind != needed:
        wanted = [name for name, each in FAMILIES.items() if each.kind == needed]
        yield ConfigError(
            f"task={task.name} with a backbone of family {family.name}",
            f"{task.name} {kind.does}, and {family.name} {_IS[family.kind]}",
            " or ".join(f"backbone={name}" for name in wanted),
        )


def _check_columns(task: TaskConfig, kind: Kind) -> Iterator[UserError]:
    named = {f.name: getattr(task.columns, f.name) for f in fields(Columns)}
    named = {role: name for role, name in named.items() if name is not None}
    reads = ", ".join(f"task.columns.{role}" for role in kind.roles)
    for role in kind.roles:
        if role not in named and role not in kind.optional:
            why = f"{kind.name} reads {reads}"
            yield ConfigError(f"task={task.name} without task.columns.{role}", why, f"task.columns.{role}=NAME")
    for role, name in named.items():
        if role not in kind.roles:
            why = f"{kind.name} reads {reads}, and nothing would read it"
            yield ConfigError(f"task.columns.{role}={name} with task={task.name}", why, "a role of this kind")
    for name in sorted({name for name in named.values() if list(named.values()).count(name) > 1}):
        roles = [f"task.columns.{role}={name}" for role, other in named.items() if other == name]
        yield ConfigError(" ".join(roles), "one column cannot be both", "a column for each")


def _check_labels(task: TaskConfig, kind: Kind) -> Iterator[UserError]:
    if task.labels is None:
        return
    asked = f"task.labels=[{','.join(task.labels)}] with task={task.name}"
    if kind.output == "text":
        yield ConfigError(asked, f"{kind.name} has no labels", "leave task.labels out")
    elif len(set(task.labels)) < max(2, len(task.labels)):
        why = "a classifier tells two labels or more apart, each named once"
        yield ConfigError(asked, why, "task.labels=null, which reads those of the training split")


def _check_metrics(task: TaskConfig, kind: Kind) -> Iterator[UserError]:
    fitting = [metric.name for metric in METRICS.values() if metric.fits == kind.output]
    instead = f"task.metrics=[{','.join(fitting[:1])}], or any of {', '.join(fitting)}"
    if not task.metrics:
        yield ConfigError(f"task={task.name} without task.metrics", "nothing would score its predictions", instead)
    found: list[Metric] = []
    for name in task.metrics:
        asked = f"task.metrics=[{','.join(task.metrics)}] with task={task.name}"
        if name not in METRICS:
            yield ConfigError(asked, f"there is no metric `{name}`", instead)
        elif METRICS[name].fits != kind.output:
            compares = {"text": "texts", "label": "labels"}[METRICS[name].fits]
            yield ConfigError(asked, f"{name} compares {compares}, and {task.name} {kind.does}", instead)
        else:
            found.append(METRICS[name])
    scores = [key for metric in found for key in metric.keys]
    if task.select_by is not None and found and task.select_by not in ("loss", *scores):
        why = f"the scores of task.metrics=[{','.join(task.metrics)}] are {', '.join(scores)}"
        yield ConfigError(
            f"task.select_by={task.select_by}", why, f"task.select_by={scores[0]}, or task.select_by=loss"
        )


def _check_source(task: TaskConfig, source: str) -> Iterator[UserError]:
    if source == "local" and task.path is None:
        why = "it needs the folder with the splits, such as train.csv, validation.csv and test.csv"
        yield ConfigError("task.source=local", why, "task.source=local task.path=DIR")
    if source == "hub" and task.path is None and task.hub_id is None:
        why = "it needs the data set's id on the hub"
        yield ConfigError(f"task={task.name} task.source=hub", why, "task.source=hub task.path=OWNER/NAME")
    if source not in ("local", "hub") and task.path is not None:
        yield ConfigError(
            f"task.path={task.path} with task.source={task.source}",
            "a path is read with task.source=local or task.source=hub only",
            f"task.source=local task.path={task.path}",
        )
