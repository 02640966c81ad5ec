"""The backbones that methods' bottlenecks refer to, from conf/backbone/: sizes only, without weights or Hydra."""

from functools import cache
from typing import Any

import yaml

from unidelta.design.architecture import Architecture
from unidelta.design.config_facts import architecture_from_config
from unidelta.errors import ConfigError
from unidelta.extensions.folders import config_file, config_names
from unidelta.extensions.paths import CONF
from unidelta.extensions.suggestions import nearest

_PAPER = "bart"  # the reference backbone unless another one is named


def stated_architecture(backbone: str, *, n_labels: int) -> Architecture:
    """The architecture in `conf/backbone/<backbone>.yaml`.

    Raises:
        ConfigError: there is no such file.
        BackboneError: the file is incomplete.
    """
    content = _content(backbone)
    return architecture_from_config(
        {**content["config"], "model_type": content["family"]},
        name=content["name"],
        n_labels=n_labels,
        published_denominator=content.get("published_denominator"),
    )


def backbones_of(family: str) -> list[str]:
    """The names of the files in `conf/backbone/` for a family: what is typed after `backbone=`."""
    return [name for name in config_names("backbone") if _content(name)["family"] == family]


def published_for(family: str, *, n_labels: int) -> Architecture:
    """The backbone that methods' bottlenecks refer to for a family; other backbones keep the same share."""
    names = backbones_of(family)
    if not names:
        return stated_architecture(_PAPER, n_labels=0)
    ours = [name for name in names if (CONF / "backbone" / f"{name}.yaml").is_file()]
    first = (ours or names)[0]
    measure = _content(first).get("bottlenecks_of") or first
    return stated_architecture(measure, n_labels=n_labels)


@cache
def _content(backbone: str) -> dict[str, Any]:
    path = config_file("backbone", backbone)
    if path is None:
        known = config_names("backbone")
        why = f"there is no backbone `{backbone}`; there are {', '.join(known)}"
        raise ConfigError(f"backbone={backbone}", why, f"backbone={nearest(backbone, known)}")
    return yaml.safe_load(path.read_text(encoding="utf-8"))
