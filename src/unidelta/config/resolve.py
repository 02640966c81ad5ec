"""`RunConfig` to `RunSpec`: pure, all problems at once, no torch and no files."""

import math

from unidelta.config.check_quantised import check_quantised
from unidelta.config.keys import default, value_of
from unidelta.config.reading import leave, plain
from unidelta.config.resolve_task import resolve_task
from unidelta.config.resolve_training import every_training_setting, resolve_training
from unidelta.config.resolve_weights import resolve_weights
from unidelta.config.run_spec import BackboneSpec, RunSpec
from unidelta.config.schema import BackboneConfig, RunConfig
from unidelta.config.tuned_rate import check_tuned
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Conventions
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import Family
from unidelta.design.request import HEADS, SLOTS, slots_of
from unidelta.design.resolve import resolve_design
from unidelta.design.resolve_size import unknown_slots
from unidelta.design.spec import Design, Frozen, FullFineTuning
from unidelta.design.wording import number
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.suggestions import nearest
from unidelta.training.check import wrong_settings

CHOICES = {
    "conventions": tuple(Conventions),
    "scale.name": ("mini", "small", "paper"),
    "backbone.attn_implementation": ("sdpa", "eager"),
    "backbone.head": ("auto", "new"),
    "backbone.quantised": ("none", "8bit", "4bit"),
    "task.classify_by": ("head", "words"),
    "task.source": ("scale", "hub", "local", "mini"),
    "training.schedule": ("polynomial", "linear", "constant"),
    "training.loss_normalisation": ("tokens", "micro_batches"),
    "training.precision": ("auto", "fp32", "bf16", "fp16"),
    "training.backbone_dtype": ("auto", "float32", "bfloat16", "float16"),
    "training.head": HEADS,
    "training.device": ("auto", "cpu", "cuda"),
    "resume": ("auto", "strict", "any"),
    "tracking.mode": ("auto", "offline", "online"),
}
# lowest and highest value, both allowed; None is unbounded. The model bounds lengths: `tasks.lengths`
_RANGES: dict[str, tuple[float, float | None]] = {
    "seed": (0, 2**32 - 1),
    "mini.seed": (0, 2**32 - 1),
    "task.max_train_examples": (1, None),
    "task.max_eval_examples": (1, None),
    "task.max_test_examples": (1, None),
    "task.max_unknown_share": (0, 1),
    "task.generation.num_beams": (1, None),
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
    task, of_task = resolve_task(config, architecture.family)
    problems = [*_check_values(asked), *wrong_settings(every_training_setting(asked)), *check_tuned(asked), *of_task]
    design, wrong = resolve_design(RunConfig.request(config), architecture=architecture, published=published)
    problems += [*_check_head(asked, architecture), *wrong, *unknown_slots(asked.request())]
    problems += [*_check_saving(asked, design), *check_quantised(asked, design)]
    if problems or task is None:
        raise Problems(list({str(problem): problem for problem in problems}.values()))  # each once
    return RunSpec(
        method=config.method.name,
        conventions=config.conventions,
        design=design,
        published_bottlenecks=_published_bottlenecks(asked),
        backbone=BackboneSpec(
            architecture=architecture,
            weights=resolve_weights(config),
            head="new" if config.backbone.head == "new" else "auto",
            attn_implementation=config.backbone.attn_implementation,
            quantised=config.backbone.quantised,
            **_dropouts(config, architecture.family, design),
        ),
        task=task,
        training=resolve_training(config, design, architecture),
        seed=config.seed,
        scale=config.scale.name,
        fast=config.fast,
        resume=config.resume,
    )


def _dropouts(config: RunConfig, family: Family, design: Design) -> dict[str, float | None]:
    """The dropouts that replace the checkpoint's: those that the architecture has.

    Where nothing trains they change nothing; what files say of them stays in the spec, and in the run's name.
    """
    found: dict[str, float | None] = {}
    if isinstance(design, Frozen):
        why = f"{config.method.name} trains nothing, and nothing is dropped in evaluation"
        keys = ["backbone.dropout", "backbone.attention_dropout"]
        leave(config, keys, why, "leave it out, or a method that trains: method=lora")
        config = plain(config)
    for name, own in zip(("dropout", "attention_dropout"), family.dropouts, strict=True):
        if own is None:  # a task's file may say it for the backbone that it has by default
            leave(config, [f"backbone.{name}"], f"a {family.name} has no such dropout", "leave it out")
        found[name] = None if own is None else getattr(config.backbone, name)
    return found


def _published_bottlenecks(config: RunConfig) -> dict[str, int]:
    method = config.method
    if method.length:
        return {"prompt": method.length}
    return {key: chosen.bottleneck for key, chosen in slots_of(method).items() if SLOTS[key] in config.position.slots}


def _check_values(config: RunConfig) -> list[UserError]:
    problems: list[UserError] = []
    for key, choices in CHOICES.items():
        value = value_of(config, key)
        if value not in choices:
            why = f"the choices are {', '.join(choices)}"
            problems.append(ConfigError(f"{key}={value}", why, f"{key}={nearest(value, choices)}"))
    generation = config.task.generation
    ranges = dict(_RANGES)
    if generation is not None and generation.num_beams <= 1:
        # Greedy search does not read it; whoever types it hears that instead.
        del ranges["task.generation.length_penalty"]
    for key, (low, high) in ranges.items():
        value = value_of(config, key)
        if value is None or (low <= value < math.inf and (high is None or value <= high)):
            continue
        bounds = f"at least {number(low)}" if high is None else f"between {number(low)} and {number(high)}"
        usual = default(key)
        instead = f"{key}={number(low)} or more" if usual is None else f"{key}={number(usual)}, the default"
        problems.append(ConfigError(f"{key}={value}", f"it must be a finite number, {bounds}", instead))
    return problems


def _check_head(config: RunConfig, architecture: Architecture) -> list[UserError]:
    if architecture.n_labels:
        return []
    family, tasks = architecture.family, "task=mnli, task=sst2 or task=classification"
    why = f"a {family.name} has no classification head" + ("" if family.head is None else " where it writes text")
    chosen = {"training.head": config.training.head, "backbone.head": config.backbone.head}
    return [
        ConfigError(
            f"{key}={value} with task={config.task.name}", why, f"leave {key} out, or a task that classifies: {tasks}"
        )
        for key, value in chosen.items()
        if value in CHOICES[key][1:]
    ]


def _check_saving(config: RunConfig, design: Design) -> list[UserError]:
    """Refuse to keep a whole model that is the backbone with little beside it."""
    if not config.save_model or isinstance(design, FullFineTuning):
        return []
    asked = f"save_model=true with method={config.method.name}"
    if isinstance(design, Frozen):
        return [ConfigError(asked, "nothing is tuned: the model is the checkpoint", "leave save_model out")]
    why = "its deltas are saved without the backbone (save_deltas=true), in a hundredth of the space"
    instead = (
        "leave save_model out; then unidelta.load(FOLDER, backbone), and model.save_pretrained(DIR) where deltas merge"
    )
    return [ConfigError(asked, why, instead)]
