"""`RunConfig` to `RunSpec`: pure, all problems at once, no torch and no files."""

import math
from typing import Any

from unidelta.config.reading import plain
from unidelta.config.resolve_backbone import resolve_backbone
from unidelta.config.resolve_task import resolve_task, task_source
from unidelta.config.resolve_training import every_training_setting, resolve_training
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import BackboneConfig, RunConfig
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Conventions
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.design.resolve import resolve_design
from unidelta.design.resolve_size import unknown_slots
from unidelta.design.wording import number
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.tasks.registry import TASKS
from unidelta.training.faults import faults

CHOICES = {
    "conventions": tuple(Conventions),
    "scale.name": ("mini", "paper"),
    "backbone.attn_implementation": ("sdpa", "eager"),
    "task.source": ("scale", "hub", "local", "mini"),
    "training.schedule": ("polynomial", "linear", "constant"),
    "training.loss_normalisation": ("tokens", "micro_batches"),
    "training.precision": ("auto", "fp32", "bf16", "fp16"),
    "training.head": ("conventions", "frozen", "trained"),
    "training.device": ("auto", "cpu", "cuda"),
    "tracking.mode": ("auto", "offline", "online"),
}
_BACKBONES_OF = {"seq2seq": ("encoder-decoder",), "classification": ("encoder",)}
_DOES = {"seq2seq": "generates text", "classification": "classifies"}
_IS = {
    "encoder-decoder": "is an encoder-decoder without a classification head",
    "encoder": "has no decoder",
    "decoder": "is a decoder alone, for which no task is made yet",
}
# lowest and highest value, both allowed; None is unbounded
_RANGES: dict[str, tuple[float, float | None]] = {
    "seed": (0, 2**32 - 1),
    "mini.seed": (0, 2**32 - 1),
    "task.max_source_length": (2, None),
    "task.max_target_length": (2, None),
    "task.eval_max_target_length": (2, None),
    "task.max_train_examples": (1, None),
    "task.max_eval_examples": (1, None),
    "task.max_test_examples": (1, None),
    "task.generation.num_beams": (1, None),
    "task.generation.max_length": (2, None),
    "task.generation.min_length": (0, None),
    "task.generation.no_repeat_ngram_size": (0, None),
    "task.generation.length_penalty": (-10, 10),
    "backbone.dropout": (0, 1 - 1e-12),
    "backbone.attention_dropout": (0, 1 - 1e-12),
}


def published_architecture(backbone: BackboneConfig, *, n_labels: int) -> Architecture:
    """The published backbone, as written in conf/backbone/; raises as `architecture_from_config`."""
    return architecture_from_config(
        {**backbone.config, "model_type": backbone.family},
        name=backbone.name,
        n_labels=n_labels,
        published_denominator=backbone.published_denominator,
    )


def resolve(config: RunConfig, *, architecture: Architecture, published: Architecture) -> RunSpec:
    """The run a configuration asks for.

    What the run reads of it is read here and nowhere else, so that a view of the configuration (`reading`) knows the
    rest. What a run does not read has one value in every spec, and so changes no run's name.

    Args:
        config: the composed configuration, or a view of it.
        architecture: the backbone of this run.
        published: the paper's backbone for the task.

    Raises:
        Problems: everything that is wrong, together.
    """
    asked = plain(config)
    problems = [*_check_values(asked), *faults(every_training_setting(asked)), *_check_task(asked, architecture)]
    design, wrong = resolve_design(RunConfig.request(config), architecture=architecture, published=published)
    problems += [*wrong, *unknown_slots(asked.request())]
    if problems:
        raise Problems(list({str(problem): problem for problem in problems}.values()))  # each once
    return RunSpec(
        method=config.method.name,
        conventions=config.conventions,
        design=design,
        published_bottlenecks=_published_bottlenecks(asked),
        backbone=resolve_backbone(config, architecture),
        task=resolve_task(config, architecture),
        training=resolve_training(config, design),
        seed=config.seed,
        scale=config.scale.name,
        fast=config.fast,
    )


def _published_bottlenecks(config: RunConfig) -> dict[str, int]:
    method = config.method
    if method.length:
        return {"prompt": method.length}
    slots = {"attn": method.attn, "ffn": method.ffn}
    return {slot: chosen.bottleneck for slot, chosen in slots.items() if chosen and slot in config.position.slots}


def _check_values(config: RunConfig) -> list[UserError]:
    problems: list[UserError] = []
    for key, choices in CHOICES.items():
        value = _get(config, key)
        if value not in choices:
            problems.append(
                ConfigError(f"{key}={value}", f"the choices are {', '.join(choices)}", f"{key}={choices[0]}")
            )
    for key, (low, high) in _RANGES.items():
        value = _get(config, key)
        if value is None or (math.isfinite(value) and low <= value and (high is None or value <= high)):
            continue
        bounds = f"at least {number(low)}" if high is None else f"between {number(low)} and {number(high)}"
        default = _get(RunConfig(), key)
        instead = f"{key}={number(low)} or more" if default is None else f"{key}={number(default)}, the default"
        problems.append(ConfigError(f"{key}={value}", f"it must be a finite number, {bounds}", instead))
    return problems


def _check_task(config: RunConfig, architecture: Architecture) -> list[UserError]:
    task, problems, family = config.task, list[UserError](), architecture.family
    kind = TASKS[task.name].kind if task.name in TASKS else None
    if kind is None:
        problems.append(ConfigError(f"task.name={task.name}", f"the tasks are {', '.join(TASKS)}", "task=xsum"))
    elif family.kind not in _BACKBONES_OF[kind]:
        wanted = [name for name, each in FAMILIES.items() if each.kind in _BACKBONES_OF[kind]]
        problems.append(
            ConfigError(
                f"task={task.name} with a backbone of family {family.name}",
                f"{task.name} {_DOES[kind]}, and {family.name} {_IS[family.kind]}",
                " or ".join(f"backbone={name}" for name in wanted),
            )
        )
    head = config.training.head
    if family.head is None and head != "conventions" and head in CHOICES["training.head"]:
        why = f"a {family.name} has no classification head"
        instead = "leave training.head out, or a task that classifies: task=mnli or task=sst2"
        problems.append(ConfigError(f"training.head={head} with task={task.name}", why, instead))
    if task_source(config) == "local" and task.path is None:
        problems.append(
            ConfigError(
                "task.source=local",
                "it needs the folder with the splits, one <split>.jsonl or <split>.parquet each",
                "task.source=local task.path=DIR",
            )
        )
    if task_source(config) != "local" and task.path is not None:
        problems.append(
            ConfigError(
                f"task.path={task.path} with task.source={task.source}",
                "a path is read with task.source=local only",
                f"task.source=local task.path={task.path}",
            )
        )
    return problems


def _get(config: RunConfig, key: str) -> Any:
    value: Any = config
    for name in key.split("."):
        value = None if value is None else getattr(value, name)
    return value
