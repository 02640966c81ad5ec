"""Compositions that several tests ask for, each made once."""

from functools import cache

from unidelta.config.compose import compose
from unidelta.config.schema import RunConfig


@cache
def composed(words: tuple[str, ...]) -> RunConfig:
    """`compose`; the result is shared, so leave it as it is."""
    return compose(words)
