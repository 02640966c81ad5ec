"""Translates the authors' command-line options into a request.

The options are those of petl/options.py at jxhe/unify-parameter-efficient-tuning@3222ce2c; `official.yaml` maps each
to its name here.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from unidelta.design.architecture import Architecture
from unidelta.design.form import FORMS
from unidelta.design.request import (
    BudgetConfig,
    CompositionConfig,
    InsertionConfig,
    MethodConfig,
    PositionConfig,
    Request,
    SlotConfig,
)
from unidelta.design.resolve import checked_design
from unidelta.design.spec import Design
from unidelta.errors import ConfigError
from unidelta.extensions.paths import PACKAGE

_WORDS = yaml.safe_load((PACKAGE / "fidelity" / "official.yaml").read_text(encoding="utf-8"))


def design_of(options: Mapping[str, Any], architecture: Architecture) -> Design:
    """The design for a set of the authors' options on an architecture, at the sizes that they type.

    Raises:
        KeyError: an option is missing.
        ConfigError: an option has no name here.
        Problems: the options cannot be built.
    """
    return checked_design(request(options), architecture=architecture, published=architecture)


def request(options: Mapping[str, Any]) -> Request:
    """The request for a set of the authors' options, as their released code computes it.

    Args:
        options: the authors' options by name.

    Raises:
        KeyError: an option is missing.
        ConfigError: an option has no name here.
    """
    attn, ffn = _attention(options), _ffn(options)
    slots = [slot for slot, chosen in (("attn", attn), ("ffn", ffn)) if chosen is not None]
    kind = "deltas" if slots else _WORDS["baselines"][options["attn_mode"]]
    length = options["attn_bn"] if options["attn_mode"] == "prompt_tuning" else None
    return Request(
        method=MethodConfig(name="official", kind=kind, attn=attn, ffn=ffn, length=length),
        position=PositionConfig(name="official" if slots else "none", slots=slots),
        insertion=InsertionConfig(),
        composition=CompositionConfig(),
        budget=BudgetConfig(name="paper" if slots or length else "none"),
    )


def _attention(options: Mapping[str, Any]) -> SlotConfig | None:
    mode = options["attn_mode"].removesuffix("_nomlp")
    if mode in _WORDS["baselines"]:
        return None
    keys = _keys("attn", mode, options["attn_option"])
    keys["composition"] = _WORDS["attn_composition"].get(options["attn_composition"], keys["composition"])
    if "targets" in keys:
        keys |= _lora(options, options["attn_bn"])
    elif options["attn_mode"].endswith("_nomlp"):
        keys["reparameterisation"] = "direct"
    elif FORMS[keys["form"]].level == "heads":
        keys |= {"mlp_width": options["mid_dim"], "prefix_dropout": options["prefix_dropout"]}
    return SlotConfig(**keys, bottleneck=options["attn_bn"])


def _ffn(options: Mapping[str, Any]) -> SlotConfig | None:
    if options["ffn_mode"] == "none":
        return None
    keys = _keys("ffn", options["ffn_mode"], options["ffn_option"])
    if "targets" in keys:
        return SlotConfig(**keys, **_lora(options, options["ffn_bn"]), bottleneck=options["ffn_bn"])
    return SlotConfig(
        **keys,
        **_scale(options["ffn_adapter_scalar"]),
        bottleneck=options["ffn_bn"],
        layer_norm=options["ffn_adapter_layernorm_option"],
        init=options["ffn_adapter_init_option"],
    )


def _keys(slot: str, mode: str, option: str) -> dict[str, Any]:
    words = _WORDS[slot]
    found = words.get(f"{mode}/{option}", words.get(f"{mode}/*"))
    if found is None:
        asked, why = f"the authors' options {slot}_mode={mode}, {slot}_option={option}", "they have no name here"
        raise ConfigError(asked, why, "one of those in src/unidelta/fidelity/official.yaml")
    return dict(found)


def _scale(scalar: str | float) -> dict[str, Any]:
    if scalar == "learnable_scalar":
        return {"composition": "learned_scale"}
    return {"composition": "additive"} if float(scalar) == 1 else {"composition": "scaled", "scale": float(scalar)}


def _lora(options: Mapping[str, Any], rank: int) -> dict[str, Any]:
    """One alpha for both slots: s = alpha / r."""
    dropout = {"dropout": float(options["lora_dropout"])}
    return {"scale": options["lora_alpha"] / rank, "init": options["lora_init"], **dropout}
