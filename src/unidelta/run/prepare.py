"""A run that can be done: everything that can be wrong with a configuration, found in about a second.

Nothing here imports torch or transformers, so that a mistake is told before anything is loaded.
"""

import sys
from functools import cache
from pathlib import Path

from unidelta import mini
from unidelta.backbones.checkpoint import read_config
from unidelta.backbones.shipped import miniature, world_of
from unidelta.config.reading import noting
from unidelta.config.resolve import published_architecture, resolve
from unidelta.config.resolve_backbone import revision
from unidelta.config.resolve_task import every_task_setting, task_source
from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.config.unused_keys import unused_keys, warnings
from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.family import FAMILIES
from unidelta.design.published import stated_architecture
from unidelta.errors import BackboneError, ConfigError, DataError, Problems, UserError
from unidelta.tasks import TASKS
from unidelta.tasks.lengths import check_lengths
from unidelta.tracking.spec import check_tracking


def prepare(config: RunConfig) -> RunSpec:
    """Resolve a configuration.

    Raises:
        Problems: everything that is wrong, together.
    """
    if config.task.name not in TASKS or config.backbone.family not in FAMILIES:
        raise ConfigError(
            f"task.name={config.task.name} backbone.family={config.backbone.family}",
            f"the tasks are {', '.join(TASKS)}, the families {', '.join(FAMILIES)}",
            "task=xsum, which sets both",
        )
    asked, (config, notes) = config, noting(config)
    for key in ("results_dir", "dry_run", "force", "save_deltas"):
        getattr(config, key)  # of every run, whatever it is
    stated = published_architecture(config.backbone, n_labels=TASKS[config.task.name].n_labels)
    measure = config.backbone.bottlenecks_of
    published = stated if measure is None else stated_architecture(measure, n_labels=stated.n_labels)
    architecture = stated
    problems: list[UserError] = []
    try:
        architecture = _architecture(config, stated)
    except (BackboneError, DataError) as error:
        problems.append(error)
    if task_source(config) == "local" and config.task.path and not Path(config.task.path).is_dir():
        problems.append(
            ConfigError(
                f"task.source=local task.path={config.task.path}",
                "there is no such folder",
                "task.path=DIR, the folder with one <split>.jsonl or <split>.parquet per split",
            )
        )
    problems += [*_check_world(asked), *check_tracking(resolve_tracking(config))]
    problems += check_lengths(every_task_setting(asked), architecture.max_positions)
    try:
        spec = resolve(config, architecture=architecture, published=published)
    except Problems as found:
        raise Problems([*problems, found]) from None
    problems += unused_keys(asked, notes)
    if problems:
        raise Problems(problems)
    for line in warnings(asked, notes):
        _tell(line)
    return spec


@cache  # once, however many jobs have it
def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _check_world(config: RunConfig) -> list[UserError]:
    """Refuse rows of a world that the backbone was not kept from seeing, or that it cannot know."""
    asked, checkpoint = f"mini.seed={config.mini.seed}", config.backbone.checkpoint
    if task_source(config) != "mini":
        if config.mini.seed == mini.SHIPPED_SEED:
            return []
        why = f"task.source={task_source(config)} reads no rows of the miniature"
        return [ConfigError(asked, why, "task.source=mini, or leave mini.seed out")]
    folder = miniature(checkpoint, config.backbone.family)
    if folder is None:
        return []
    try:
        known = world_of(folder)
    except BackboneError as error:
        return [error]
    if known == config.mini.seed:
        return []
    why = (
        f"the backbone was pretrained on world {known}: it knows none of the facts of world {config.mini.seed}, and"
        " nothing kept that world's test items out of its training text"
    )
    family = config.backbone.family
    instead = (
        f"mini.seed={known}, or `python -m unidelta.mini pretrain {family} --world {config.mini.seed} --out DIR`"
        " and backbone.checkpoint=DIR"
    )
    return [ConfigError(asked, why, instead)]


def _architecture(config: RunConfig, published: Architecture) -> Architecture:
    """The sizes of this run's backbone: the checkpoint's own, the miniature's or the published ones."""
    backbone = config.backbone
    if backbone.checkpoint is not None:
        at = revision(config, backbone.checkpoint)
        content = read_config(backbone.checkpoint, family=backbone.family, revision=at)
        name = Path(backbone.checkpoint).resolve().name
        return architecture_from_config(content, name=name, n_labels=published.n_labels)
    if config.scale.name == "mini":
        settings = mini.settings(backbone.family, n_labels=published.n_labels)
        return architecture_from_config(settings, name=f"mini-{backbone.family}", n_labels=published.n_labels)
    return published
