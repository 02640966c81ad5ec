"""A backbone's architecture from its config.json, the file that every Hugging Face checkpoint has."""

from collections.abc import Mapping
from typing import Any

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Slot
from unidelta.design.family import FAMILIES, Family
from unidelta.design.no_place import without_a_place
from unidelta.errors import BackboneError


def architecture_from_config(
    config: Mapping[str, Any], *, name: str, n_labels: int, published_denominator: int | None = None
) -> Architecture:
    """The architecture in a configuration.

    Args:
        config: the content of config.json, or the part that the family reads.
        name: the backbone's name in records.
        n_labels: outputs of the classification head; ignored for models without one.
        published_denominator: the parameter count by which the paper divides for this backbone.

    Raises:
        BackboneError: the architecture is not supported, or a size is missing.
    """
    family = known_family(config.get("model_type"), config)
    missing = sorted(key for key in family.keys if config.get(key) is None)
    wrong = [
        f"its {key} is {config[key]!r}, no whole number"
        for key in sorted({*family.keys} - {*missing})
        if type(config[key]) is not int
    ]
    if missing or wrong:
        why = "; ".join([*([f"it does not say {', '.join(missing)}"] if missing else []), *wrong])
        raise BackboneError(f"the configuration of {name}", why, "a complete config.json")
    optional = family.optional or {}
    stated = {key: config[key] for key in family.keys}
    for key, default in optional.items():
        stated[key] = config[key] if config.get(key) is not None else default({**config, **stated})
    odd = list(family.odd({**config, **stated}))
    if odd:
        raise BackboneError(
            f"the configuration of {name}",
            f"{'; '.join(odd)}, so its sizes or its places are not those of the family",
            f"a checkpoint of the usual shape of a {family.name}",
        )
    n_labels = n_labels if family.head is not None else 0
    sites = family.sites(stated)
    return Architecture(
        family=family,
        name=name,
        config={"model_type": family.name, **stated},
        sites=tuple(sorted(sites, key=lambda site: list(Slot).index(site.slot))),
        surroundings=family.surroundings(stated, n_labels),
        max_positions=family.max_positions(stated),
        n_labels=n_labels,
        published_denominator=published_denominator,
    )


def known_family(model_type: object, config: Mapping[str, Any] | None = None) -> Family:
    """The family of a `model_type`.

    Args:
        model_type: as in config.json.
        config: the rest of it, if it is known: it may say which layers are in the way.

    Raises:
        BackboneError: the architecture is not supported.
    """
    if isinstance(model_type, str) and model_type in FAMILIES:
        return FAMILIES[model_type]
    if obstacles := without_a_place(config or {}):
        raise BackboneError(
            f"a backbone of architecture `{model_type}`",
            "; ".join(obstacles),
            f"a model with attention and one FFN in every layer: {', '.join(FAMILIES)}",
        )
    raise BackboneError(
        f"a backbone of architecture `{model_type}`",
        f"deltas can be put into {', '.join(FAMILIES)} only",
        "backbone.checkpoint=DIR with one of these architectures",
    )
