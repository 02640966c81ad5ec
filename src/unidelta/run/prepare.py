"""A run that can be done: everything that can be wrong with a configuration, found in about a second.

Nothing here imports torch or transformers, so that mistakes are reported before anything is loaded.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

from unidelta.backbones.shipped import Shipped
from unidelta.config.reading import noting
from unidelta.config.resolve import published_architecture, resolve
from unidelta.config.resolve_prompt import n_outputs
from unidelta.config.resolve_task import resolve_task, task_source
from unidelta.config.resolve_tracking import resolve_tracking
from unidelta.config.resolve_weights import resolve_weights
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.config.unused_keys import unused_keys, warnings
from unidelta.design.family import FAMILIES
from unidelta.design.published import stated_architecture
from unidelta.design.spec import positions_before_text
from unidelta.errors import BackboneError, ConfigError, DataError, Problems, UserError
from unidelta.extensions.suggestions import nearest
from unidelta.mini.miniature import MINIATURES
from unidelta.tasks import KINDS, TaskSpec, read_labels
from unidelta.tasks.language_check import wrong_languages
from unidelta.tasks.lengths import check_lengths
from unidelta.tasks.text_prompt import no_chat_template
from unidelta.tracking.spec import check_tracking


def prepare(config: RunConfig) -> RunSpec:
    """Resolve a configuration.

    Raises:
        Problems: everything that is wrong, together.
    """
    unknown = [
        ConfigError(f"{key}={name}", f"the choices are {', '.join(known)}", f"{key}={nearest(name, known)}")
        for key, name, known in (
            ("task.kind", config.task.kind, list(KINDS)),
            ("backbone.family", config.backbone.family, list(FAMILIES)),
        )
        if name not in known
    ]
    if unknown:
        raise Problems(unknown)
    task, _ = resolve_task(config, FAMILIES[config.backbone.family])  # `resolve` reports what is wrong with it
    labels, of_task = _labels(config, task)
    asked = replace(config, task=replace(config.task, labels=labels))
    config, notes = noting(asked)
    for key in ("results_dir", "dry_run", "force", "save_deltas", "save_model", "plan"):
        getattr(config, key)  # every run uses these: once read, none is reported as unused
    stated = published_architecture(config.backbone, n_labels=n_outputs(config))
    measure = config.backbone.bottlenecks_of
    published = stated if measure is None else stated_architecture(measure, n_labels=stated.n_labels)
    architecture = stated
    problems: list[UserError] = [*of_task, *_check_languages(asked, task), *_check_chat(asked, task)]
    try:
        architecture = resolve_weights(config).architecture(stated)
    except (BackboneError, DataError) as error:
        problems.append(error)
    if task_source(config) == "local" and config.task.path and not Path(config.task.path).is_dir():
        path = Path(config.task.path)
        what = "it is a file, and each split has one" if path.is_file() else "there is no such folder"
        folder = str(path.parent) if path.is_file() else "DIR"
        instead = f"task.path={folder}, the folder with the splits, such as train.csv, validation.csv and test.csv"
        problems.append(ConfigError(f"task.source=local task.path={path}", what, instead))
    if config.plan is not None and not Path(config.plan).is_file():
        problems.append(ConfigError(f"plan={config.plan}", "there is no such file", "plan=results/plan.json"))
    problems += [*_check_world(asked), *check_tracking(resolve_tracking(config))]
    try:
        spec = resolve(config, architecture=architecture, published=published)
    except Problems as found:
        of_lengths = [] if task is None else check_lengths(task, architecture.max_positions)
        raise Problems([*problems, *of_lengths, found]) from None
    taken = positions_before_text(spec.design, is_decoder=architecture.family.kind == "decoder")
    problems += check_lengths(spec.task, architecture.max_positions - taken)
    problems += unused_keys(asked, notes)
    if problems:
        raise Problems(problems)
    for line in warnings(asked, notes):
        _tell(line)
    return spec


@cache  # once, however many jobs have it
def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _labels(config: RunConfig, task: TaskSpec | None) -> tuple[list[str] | None, list[UserError]]:
    """The names of the classes, read from the rows if they were not given, and why they could not be read."""
    if task is None or task.generates or config.task.labels is not None or task.columns.label is None:
        return config.task.labels, []
    if task.writes:
        return None, []  # words for labels that nobody named: `check_prompt` refuses them
    has_place = {"local": Path(str(task.path)).is_dir(), "hub": task.hub_id is not None}
    if not has_place.get(task.source, True):
        return None, []  # reported elsewhere
    try:
        return list(read_labels(task)), []
    except UserError as error:
        return None, [error]


def _check_languages(config: RunConfig, task: TaskSpec | None) -> list[UserError]:
    """Refuse languages that the tokenizer does not know, or that are not those of the columns.

    A tokenizer from the hub is asked once it is loaded; the columns are compared with the languages typed before that.
    """
    if task is None or not task.generates or not FAMILIES[config.backbone.family].has_languages:
        return []
    known = resolve_weights(config).languages()
    typed = tuple(code for code in (task.source_language, task.target_language) if code is not None)
    return wrong_languages(task, known or typed) if known or len(typed) == 2 else []


def _check_chat(config: RunConfig, task: TaskSpec | None) -> list[UserError]:
    """Refuse a conversation with a base model; a tokenizer from the hub is asked once it is loaded."""
    is_chat = task is not None and task.prompt is not None and task.prompt.is_chat
    return [no_chat_template()] if is_chat and resolve_weights(config).has_chat_template() is False else []


def _check_world(config: RunConfig) -> list[UserError]:
    """Refuse rows of a world that the backbone was not kept from seeing, or that it cannot know."""
    asked = f"mini.seed={config.mini.seed}"
    if task_source(config) != "mini":
        return []  # one that was typed has no use there
    weights = resolve_weights(config)
    if isinstance(weights, Shipped) and config.backbone.family not in MINIATURES:
        return []  # there are no such weights, which is reported elsewhere
    try:
        known = weights.world()
    except BackboneError as error:
        return [error]
    if known is None or known == config.mini.seed:
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
