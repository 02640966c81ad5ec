"""Dropout probabilities of a backbone that a run overrides."""

from transformers import PretrainedConfig

from unidelta.backbones.loading import Loading
from unidelta.design.family import Family
from unidelta.errors import ConfigError


def set_dropouts(config: PretrainedConfig, family: Family, how: Loading) -> None:
    """Replace the checkpoint's hidden and attention dropout, if they are given.

    Raises:
        ConfigError: the architecture has no such dropout.
    """
    for key, name in zip(("dropout", "attention_dropout"), family.dropouts, strict=True):
        value: float | None = getattr(how, key)
        if value is not None and name is None:
            asked, why = f"backbone.{key}={value:g}", f"a {family.name} has no such dropout"
            raise ConfigError(asked, why, f"leave backbone.{key} out")
        if value is not None and name is not None:
            setattr(config, name, value)
