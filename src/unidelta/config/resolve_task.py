"""The task of a configuration: kind, columns, metrics and source, all problems at once, no data."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from unidelta.config.reading import leave, plain
from unidelta.config.resolve_prompt import check_prompt, resolve_prompt
from unidelta.config.schema import GenerationConfig, RunConfig, TaskConfig
from unidelta.design.family import FAMILIES, Family
from unidelta.design.published import backbones_of
from unidelta.errors import ConfigError, UserError
from unidelta.tasks.columns import Columns
from unidelta.tasks.kind import KINDS, Kind, Output
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.sources import held_out
from unidelta.tasks.task import GenerationSpec, TaskSpec

_BACKBONES_OF: dict[Output, tuple[str, ...]] = {"text": ("encoder-decoder", "decoder"), "label": ("encoder", "decoder")}
_IS = {"encoder-decoder": "is an encoder-decoder without a classification head", "encoder": "has no decoder"}
_HUB = ("hub_id", "hub_config", "hub_revision")
_LENGTHS = ("max_target_length", "eval_max_target_length")
_LANGUAGES = ("source_language", "target_language")
_READ_ALWAYS = "name kind max_source_length eval_split".split()
_READ_ALWAYS += "max_train_examples max_eval_examples max_test_examples max_unknown_share".split()
_GREEDY_PENALTY = GenerationConfig().length_penalty


def task_source(config: RunConfig) -> str:
    """Where rows come from: as asked, or the scale's own source."""
    if config.task.source != "scale":
        return config.task.source
    return "mini" if config.scale.name == "mini" else "hub"


def resolve_task(config: RunConfig, family: Family) -> tuple[TaskSpec | None, list[UserError]]:
    """The task, as far as it is known without its rows, and everything that is wrong with it.

    Args:
        config: the composed configuration, or a view of it; its labels are None where they are still to be read.
        family: of the backbone.

    Returns:
        The task, None where no task can be made of it; the problems.
    """
    task = plain(config).task
    if task.kind not in KINDS:
        why = f"the kinds are {', '.join(KINDS)}"
        return None, [ConfigError(f"task.kind={task.kind} of task={task.name}", why, "task.kind=summarization")]
    kind = KINDS[task.kind]
    problems = [
        *([] if _is_counted(plain(config), kind, family) else _check_backbone(task, kind, family)),
        *_check_columns(task, kind),
        *_check_labels(task, kind),
        *_check_metrics(task, kind),
        *_check_source(task, task_source(plain(config))),
        *_check_held_out(task),
        *check_prompt(config, kind, family),
    ]
    if kind.output == "text" and task.generation is None:
        why = f"a task of kind {kind.name} generates, and its file does not say how"
        problems.append(ConfigError(f"task={task.name}", why, "generation: {num_beams: 1, max_length: 60} in its file"))
    unset = [name for name in _LENGTHS if getattr(task, name) is None] if kind.output == "text" else []
    for name in unset:
        why = f"a task of kind {kind.name} keeps a number of tokens of each target"
        problems.append(ConfigError(f"task.{name}=null with task={task.name}", why, f"task.{name}=128"))
    if unset or not task.metrics or any(name not in METRICS for name in task.metrics):
        return None, problems
    return _spec(config, kind, family), problems


def _spec(config: RunConfig, kind: Kind, family: Family) -> TaskSpec:
    """The task; what its source, its kind or its tokenizer leaves out is empty, and said to be left."""
    task, source = config.task, task_source(config)
    values: dict[str, Any] = {name: getattr(task, name) for name in _READ_ALWAYS}
    values |= {"source": source, "title": task.title or task.name, "metrics": tuple(dict.fromkeys(task.metrics))}
    values["select_by"] = task.select_by or METRICS[task.metrics[0]].headline
    values |= _rows(config, source)
    values |= {**_targets(config, kind), "prompt": resolve_prompt(config, kind, family)}
    values["columns"] = Columns(**{role: getattr(task.columns, role) for role in kind.roles})
    others = [f.name for f in fields(Columns) if f.name not in kind.roles]
    leave(config, [f"task.columns.{role}" for role in others], f"{kind.name} reads {_reads(kind)}", "leave it out")
    if family.has_languages:
        values |= {name: getattr(task, name) for name in _LANGUAGES}
    else:
        values |= dict.fromkeys(_LANGUAGES)
        why = f"the tokenizer of a {family.name} marks no languages"
        with_some = next((name for name, each in FAMILIES.items() if each.has_languages), "one that marks them")
        leave(config, _keys(_LANGUAGES), why, f"leave it out, or backbone={with_some}")
    return TaskSpec(**values)


def _rows(config: RunConfig, source: str) -> dict[str, Any]:
    """Where rows come from, and which splits of them are reported."""
    task = config.task
    values: dict[str, Any] = {"path": None, "world": 0, **dict.fromkeys(_HUB)}
    if source == "hub":
        values |= {"hub_id": task.path or task.hub_id, "hub_config": task.hub_config}
        values["hub_revision"] = task.hub_revision
        if task.path is not None:
            why = f"task.path={task.path} says where on the hub the rows are"
            leave(config, ["task.hub_id"], why, "leave one of the two out")
    else:
        why = f"the rows are those of task.source={source}, not of the hub"
        leave(config, _keys(_HUB), why, "task.source=hub, or scale=paper")
    if source == "local":
        values["path"] = task.path
    if source != "mini":
        why = f"the rows are those of task.source={source}, not of the miniature"
        leave(config, ["task.mini_test_splits"], why, "leave it out, or task.source=mini")
        asked = f"task.source={source}" if task.source != "scale" else f"scale={config.scale.name}"
        leave(
            config, ["mini.seed"], f"{asked} reads no rows of the miniature", "leave mini.seed out, or task.source=mini"
        )
    else:
        values["world"] = config.mini.seed
    if source != "mini" or not task.mini_test_splits:
        return {**values, "test_split": task.test_split, "extra_eval_splits": tuple(task.extra_eval_splits)}
    why = f"the miniature of {task.title or task.name} reports {', '.join(task.mini_test_splits)}"
    leave(config, _keys(("test_split", "extra_eval_splits")), why, "leave it out, or task.source=hub")
    return {**values, "test_split": task.mini_test_splits[0], "extra_eval_splits": tuple(task.mini_test_splits[1:])}


def _targets(config: RunConfig, kind: Kind) -> dict[str, Any]:
    """Labels, or lengths and decoding of texts."""
    task = config.task
    if kind.output == "text":
        leave(config, ["task.labels"], f"{kind.name} has no labels", "leave it out, or task=classification")
        lengths = {name: getattr(task, name) for name in _LENGTHS}
        return {**lengths, "labels": (), "generation": _generation(config)}
    why = f"{task.name} has labels for targets, which have no length in tokens"
    leave(config, _keys(_LENGTHS), why, "leave it out, or task=xsum")
    why = f"{task.name} {kind.does}, and generates no text"
    decoding = [f"task.generation.{f.name}" for f in fields(GenerationSpec)]
    leave(config, decoding, why, "leave it out, or task=xsum")
    return {**dict.fromkeys(_LENGTHS, 0), "labels": tuple(task.labels or ()), "generation": None}


def _generation(config: RunConfig) -> GenerationSpec | None:
    asked = config.task.generation
    if asked is None:
        return None
    names = [f.name for f in fields(GenerationSpec) if f.name != "length_penalty"]
    values = {name: getattr(asked, name) for name in names}
    if asked.num_beams > 1:
        return GenerationSpec(**values, length_penalty=asked.length_penalty)
    why = "greedy search (task.generation.num_beams=1) compares no outputs of different lengths"
    leave(config, ["task.generation.length_penalty"], why, "leave it out, or task.generation.num_beams=6")
    return GenerationSpec(**values, length_penalty=_GREEDY_PENALTY)


def _reads(kind: Kind) -> str:
    return ", ".join(f"task.columns.{role}" for role in kind.roles)


def _keys(names: tuple[str, ...]) -> list[str]:
    return [f"task.{name}" for name in names]


def _is_counted(config: RunConfig, kind: Kind, family: Family) -> bool:
    """Whether nothing but the size of a decoder is asked for: it is the same whatever the task."""
    return config.dry_run and kind.output == "text" and family.kind == "decoder"


def _check_backbone(task: TaskConfig, kind: Kind, family: Family) -> Iterator[UserError]:
    needed = _BACKBONES_OF[kind.output]
    if family.kind not in needed:
        fitting = [name for kind in needed for name, each in FAMILIES.items() if each.kind == kind]
        wanted = [backbone for name in fitting for backbone in backbones_of(name)]
        yield ConfigError(
            f"task={task.name} with a backbone of family {family.name}",
            f"{task.name} {kind.does}, and {family.name} {_IS[family.kind]}",
            " or ".join(f"backbone={name}" for name in wanted),
        )


def _check_columns(task: TaskConfig, kind: Kind) -> Iterator[UserError]:
    named = {f.name: getattr(task.columns, f.name) for f in fields(Columns)}
    named = {role: name for role, name in named.items() if name is not None}
    reads = _reads(kind)
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


def _check_held_out(task: TaskConfig) -> Iterator[UserError]:
    """Refuse splits that share rows: the last rows of one split, held out twice."""
    keys = {
        "eval_split": [task.eval_split],
        "test_split": [task.test_split],
        "extra_eval_splits": task.extra_eval_splits,
    }
    taken: dict[str, str] = {}
    for key, splits in keys.items():
        for split in filter(None, splits):
            name, n = held_out(split)
            if n and taken.setdefault(name, split) != split:
                why = f"task.{key} would share rows with {taken[name]}: both are the last rows of {name}"
                yield ConfigError(f"task.{key}={split}", why, f"another split for task.{key}")


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
