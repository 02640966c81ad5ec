"""Compositions that several tests ask for, each made once, and the same with other values, which need no Hydra."""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.compose import compose, typed
from unidelta.config.groups import fill_store
from unidelta.config.keys import types
from unidelta.config.schema import ComposedConfig
from unidelta.config.spelling import as_hydra_reads, parse
from unidelta.extensions.folders import folders
from unidelta.extensions.paths import CONF


def composed(words: Sequence[str]) -> ComposedConfig:
    """`compose`.

    Hydra composes the files that the words choose, once; the values among the words are set on a copy of that, as
    Hydra does last of all. `test_precedence.py` compares the two.
    """
    return deepcopy(_composed(tuple(words), tuple(folders())))


@cache
def _composed(words: tuple[str, ...], folders: tuple[Path, ...]) -> ComposedConfig:
    values = [word for word in words if word.partition("=")[0] in types()]
    try:
        config = deepcopy(_of_files(tuple(sorted(word for word in words if word not in values)), folders))
        for word in values:
            OmegaConf.update(config, word.partition("=")[0], parse(*as_hydra_reads([word])).value(), merge=True)
    except (HydraException, OmegaConfBaseException):
        return compose(words)  # which says what is wrong
    return typed(config, words)


@cache
def _of_files(words: tuple[str, ...], folders: tuple[Path, ...]) -> DictConfig:
    """What Hydra makes of these words, in whatever order, as long as there are these folders."""
    GlobalHydra.instance().clear()
    fill_store()
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return hydra_compose(config_name="config", overrides=as_hydra_reads(words))
