"""Many compositions of the same files, such as the jobs of a sweep: Hydra reads and joins the files once."""

from collections.abc import Sequence
from copy import deepcopy

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.compose import compose, of_hydra, typed
from unidelta.config.keys import types
from unidelta.config.schema import ComposedConfig
from unidelta.config.spelling import as_hydra_reads, parse


class Composer:
    """`compose` without Hydra for words that choose the files of earlier ones, as long as no file changes.

    Hydra sets values last of all, after it has joined the files that the other words choose; here they are set, by the
    same function of OmegaConf, on a copy of those files. A tenth of a second becomes a hundredth.
    """

    def __init__(self) -> None:
        self._joined: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> ComposedConfig:
        """The configuration of `python train.py` followed by these overrides.

        Raises:
            ConfigError: as `compose` does.
        """
        values = [word for word in overrides if _key(word) in types()]
        # the order of different groups is free; that of one group's options is not, and a stable sort keeps it
        choices = tuple(sorted((word for word in overrides if word not in values), key=_key))
        try:
            if choices not in self._joined:
                self._joined[choices] = of_hydra(choices)
            config = deepcopy(self._joined[choices])
            for word in values:
                OmegaConf.update(config, _key(word), parse(*as_hydra_reads([word])).value(), merge=True)
        except (HydraException, OmegaConfBaseException):
            return compose(overrides)  # which says what is wrong
        return typed(config, overrides)


def _key(word: str) -> str:
    return word.partition("=")[0]
