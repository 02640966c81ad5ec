"""Compositions that several tests ask for, each made once, and the same with other values, which need no Hydra."""

from copy import deepcopy
from functools import cache

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config import compose as composing
from unidelta.config.groups import fill_store
from unidelta.config.keys import types
from unidelta.config.schema import RunConfig
from unidelta.config.spelling import as_hydra_reads, parse
from unidelta.extensions.paths import CONF


@cache
def composed(words: tuple[str, ...]) -> RunConfig:
    """`compose`; the result is shared, so leave it as it is.

    Hydra composes the files that the words choose, once; the values among the words are set on a copy of that, as
    Hydra does last of all. `test_precedence.py` compares the two.
    """
    values = [word for word in words if word.partition("=")[0] in types()]
    try:
        config = deepcopy(_of_files(tuple(word for word in words if word not in values)))
        for word in values:
            OmegaConf.update(config, word.partition("=")[0], parse(*as_hydra_reads([word])).value(), merge=True)
    except (HydraException, OmegaConfBaseException):
        return composing.compose(words)  # which says what is wrong
    return composing.typed(config, words)


@cache
def _of_files(words: tuple[str, ...]) -> DictConfig:
    GlobalHydra.instance().clear()
    fill_store()
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return hydra_compose(config_name="config", overrides=as_hydra_reads(words))
