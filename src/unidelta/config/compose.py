"""Composition by Hydra, for the entry points, tests and notebooks alike. Hydra and OmegaConf live here only."""

from collections.abc import Sequence
from typing import cast

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.groups import fill_store
from unidelta.config.overrides import as_hydra_reads, as_typed
from unidelta.config.schema import RunConfig
from unidelta.config.unread import check_read
from unidelta.design.axes import Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.errors import ConfigError
from unidelta.extensions.paths import CONF


def compose(overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration of `python train.py` followed by these overrides.

    Args:
        overrides: as typed on the command line, e.g. `["method=mam", "task=xsum", "composition.scale=2"]`.

    Raises:
        ConfigError: if Hydra cannot compose them; `overrides.check` says more about the same mistakes.
    """
    GlobalHydra.instance().clear()
    fill_store()
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            return typed(hydra_compose(config_name="config", overrides=as_hydra_reads(overrides)), overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise not_composable(overrides, error) from error


def typed(config: DictConfig, overrides: Sequence[str]) -> RunConfig:
    """A composed configuration as dataclasses.

    Args:
        config: the composition.
        overrides: what was typed for it.

    Raises:
        ConfigError: if a mandatory value was never set.
        Problems: if values were typed that nothing would read.
    """
    missing = OmegaConf.missing_keys(config)
    if missing:
        raise ConfigError(
            f"a configuration without {', '.join(sorted(missing))}",
            "these keys have no default",
            "task=xsum method=mam, which set them",
        )
    run, overrides = cast(RunConfig, OmegaConf.to_object(config)), as_typed(overrides)
    _drop_unused_scales(run, overrides)
    _drop_foreign_pins(run, overrides)
    check_read(run, overrides)
    return run


def _drop_unused_scales(config: RunConfig, overrides: Sequence[str]) -> None:
    """Forget the s that files give a slot which has another composition, or takes the axis' s.

    Files say it for the case that the slot is scaled. Who types it means it, so that one stays, to be refused.
    """
    for name, slot in ((Slot.ATTN, config.method.attn), (Slot.FFN, config.method.ffn)):
        if slot is None or any(word.startswith(f"method.{name}.scale=") for word in overrides):
            continue
        composition = COMPOSITIONS.get(slot.composition or config.composition.name)
        if composition is None or not composition.reads_scale or config.composition.scale is not None:
            slot.scale = None


def _drop_foreign_pins(config: RunConfig, overrides: Sequence[str]) -> None:
    """Forget the commit that files name where another repository, or a folder, was typed: it has no such commit."""

    def is_typed(key: str) -> bool:
        return any(word.startswith(f"{key}=") for word in overrides)

    backbone, task = config.backbone, config.task
    is_other = is_typed("backbone.checkpoint") and backbone.checkpoint not in (None, backbone.hub_id)
    if (is_other or is_typed("backbone.hub_id")) and not is_typed("backbone.hub_revision"):
        backbone.hub_revision = None
    if is_typed("task.hub_id") and not is_typed("task.hub_revision"):
        task.hub_revision = None


def not_composable(overrides: Sequence[str], error: Exception) -> ConfigError:
    """What Hydra or OmegaConf found wrong with overrides, as an error for people."""
    lines = [line.strip() for cause in (error, error.__cause__) if cause for line in str(cause).splitlines()[:3]]
    return ConfigError(" ".join(overrides), "; ".join(filter(None, lines)), "python train.py --cfg job shows every key")
