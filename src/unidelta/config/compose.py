"""Composition by Hydra, for the entry points, tests and notebooks alike."""

from collections.abc import Sequence
from typing import Any, cast

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.backbones.local import is_local
from unidelta.config.groups import fill_store
from unidelta.config.keys import leaves, text_keys, value_of
from unidelta.config.own_files import mistakes
from unidelta.config.resolve_task import task_source
from unidelta.config.schema import PATHS, ComposedConfig, RunConfig
from unidelta.config.spelling import as_hydra_reads, as_typed
from unidelta.design.methods import reads_own_scale
from unidelta.design.request import slots_of
from unidelta.errors import ConfigError, Problems, UserError
from unidelta.extensions.folders import config_file, folders
from unidelta.extensions.named_paths import as_path
from unidelta.extensions.paths import CONF


def compose(overrides: Sequence[str] = ()) -> ComposedConfig:
    """The configuration of `python train.py` followed by these overrides.

    Args:
        overrides: as typed on the command line, e.g. `["method=mam", "task=xsum", "composition.scale=2"]`.

    Raises:
        ConfigError: if Hydra cannot compose them; `overrides.check` says more about the same mistakes.
    """
    try:
        return typed(of_hydra(overrides), overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise not_composable(overrides, error) from error


def of_hydra(overrides: Sequence[str]) -> DictConfig:
    """What Hydra makes of these overrides, as typed, and of the files that they choose."""
    GlobalHydra.instance().clear()
    fill_store()
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return hydra_compose(config_name="config", overrides=as_hydra_reads(overrides))


def typed(config: DictConfig, overrides: Sequence[str]) -> ComposedConfig:
    """A composed configuration as dataclasses.

    Args:
        config: the composition.
        overrides: what was typed for it.

    Raises:
        ConfigError: if a mandatory value was never set.
        Problems: a text or a path is empty.
    """
    missing = OmegaConf.missing_keys(config)
    if missing:
        raise ConfigError(
            f"a configuration without {', '.join(sorted(missing))}",
            "these keys have no default",
            "task=xsum method=mam, which set them",
        )
    typed_words = as_typed(overrides)
    run = cast(RunConfig, OmegaConf.to_object(config))
    _drop_unused_scales(run, typed_words)
    _drop_foreign_pins(run, typed_words)
    _find_paths(run)
    return ComposedConfig(**vars(run), typed=tuple(typed_words), said=_said(typed_words))


def _find_paths(config: RunConfig) -> None:
    """Make paths of the words that name some, in place.

    Raises:
        Problems: all that are none.
    """
    problems: list[UserError] = []
    for key in sorted(text_keys()):
        value = value_of(config, key)
        try:
            if value is not None and not value.strip():
                why = "it is empty; an unset variable of the shell is empty, too"
                raise ConfigError(f"{key}={value}", why, f"{key}=VALUE, or leave it out")
            if value is not None and key in PATHS and (key != "backbone.checkpoint" or is_local(value)):
                path = as_path(value, asked=f"{key}={value}")
                node, _, name = key.rpartition(".")
                setattr(value_of(config, node), name, str(path) if value.startswith("~") else value)
        except UserError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)


def _said(overrides: Sequence[str]) -> tuple[str, ...]:
    """The value keys of the experiment that was typed, dotted."""
    names = [word.partition("=")[2] for word in overrides if word.startswith("experiment=")]
    path = config_file("experiment", names[-1]) if names else None
    if path is None:
        return ()
    content = cast(dict[str, Any], OmegaConf.to_container(cast(DictConfig, OmegaConf.load(path))))
    return tuple(key for key, _ in leaves(content) if key.partition(".")[0] != "defaults")


def _drop_unused_scales(config: RunConfig, overrides: Sequence[str]) -> None:
    """Forget the s that files give a slot which has another composition, or takes the axis' s.

    Files say it for the case that the slot is scaled. Who types it means it, so that one stays, to be refused.
    """
    for name, slot in slots_of(config.method).items():
        if not _is_typed(f"method.{name}.scale", overrides) and not reads_own_scale(slot, config.composition):
            slot.scale = None


def _drop_foreign_pins(config: RunConfig, overrides: Sequence[str]) -> None:
    """Forget the commit that files name where another repository, or a folder, was typed: it has no such commit."""
    backbone, task = config.backbone, config.task
    is_other = _is_typed("backbone.checkpoint", overrides) and backbone.checkpoint not in (None, backbone.hub_id)
    if (is_other or _is_typed("backbone.hub_id", overrides)) and not _is_typed("backbone.hub_revision", overrides):
        backbone.hub_revision = None
    is_path = _is_typed("task.path", overrides) and task_source(config) == "hub" and task.path != task.hub_id
    if (is_path or _is_typed("task.hub_id", overrides)) and not _is_typed("task.hub_revision", overrides):
        task.hub_revision = None
    if is_path and not _is_typed("task.hub_config", overrides):
        task.hub_config = None


def _is_typed(key: str, overrides: Sequence[str]) -> bool:
    return any(word.startswith(f"{key}=") for word in overrides)


def not_composable(overrides: Sequence[str], error: Exception) -> UserError:
    """What Hydra or OmegaConf found wrong with overrides, as one of our errors; a file's mistake, if there is one."""
    mistaken = [mistake for folder in folders() for mistake in mistakes(folder)]
    if mistaken:
        return Problems(mistaken)
    lines = [line.strip() for cause in (error, error.__cause__) if cause for line in str(cause).splitlines()[:3]]
    of_launcher = any(word.startswith("hydra.launcher.") for word in overrides)
    instead = "docs/scaling.md has the launchers' keys" if of_launcher else "python train.py --cfg job shows every key"
    return ConfigError(" ".join(overrides), "; ".join(filter(None, lines)), instead)
