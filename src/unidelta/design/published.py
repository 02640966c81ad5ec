"""The backbones for which methods' bottlenecks are meant, from conf/backbone/: facts, without weights or Hydra."""

from functools import cache
from typing import Any

import yaml

from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import ConfigError
from unidelta.extensions.folders import config_file, config_names

_PAPER = "bart"  # what a backbone is measured by for which nobody says anything else


def stated_architecture(backbone: str, *, n_labels: int) -> Architecture:
    """The architecture that `conf/backbone/<backbone>.yaml` states.

    Raises:
        ConfigError: there is no such file.
        BackboneError: its facts are incomplete.
    """
    content = _content(backbone)
    return architecture_from_config(
        {**content["config"], "model_type": content["family"]},
        name=content["name"],
        n_labels=n_labels,
        published_denominator=content.get("published_denominator"),
    )


def published_for(family: str, *, n_labels: int) -> Architecture:
    """The backbone for which methods' bottlenecks are meant on models of a family: on others they keep their share."""
    names = [name for name in config_names("backbone") if _content(name)["family"] == family]
    if not names:
        return stated_architecture(_PAPER, n_labels=0)
    measure = _content(names[0]).get("bottlenecks_of") or names[0]
    return stated_architecture(measure, n_labels=n_labels)


@cache
def _content(backbone: str) -> dict[str, Any]:
    path = config_file("backbone", backbone)
    if path is None:
        why = f"there is no backbone `{backbone}`"
        raise ConfigError(f"backbone={backbone}", why, f"backbone= one of {', '.join(config_names('backbone'))}")
    return yaml.safe_load(path.read_text(encoding="utf-8"))
