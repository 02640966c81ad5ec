"""Compositions that several tests ask for, each made once."""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path

from unidelta.config.composer import Composer
from unidelta.config.schema import ComposedConfig
from unidelta.extensions.folders import folders


def composed(words: Sequence[str]) -> ComposedConfig:
    """`Composer.compose`, for as long as there are the same folders; `test_precedence.py` compares it with Hydra."""
    return deepcopy(_composed(tuple(words), tuple(folders())))


@cache
def _composed(words: tuple[str, ...], folders: tuple[Path, ...]) -> ComposedConfig:
    return _composer(folders).compose(words)


@cache
def _composer(folders: tuple[Path, ...]) -> Composer:
    return Composer()
