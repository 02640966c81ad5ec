"""Prefix tuning (`PrefixTuningConfig`), as `eject_prefix_tuning` leaves it or with its MLP."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from unidelta.design.architecture import Architecture
from unidelta.design.axes import LayerNorm
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.spec import DeltaSpec
from unidelta.errors import ExchangeError
from unidelta.exchange.adapters.method import AdaptersMethod
from unidelta.exchange.parts import gated_prefix
from unidelta.exchange.places import Placed
from unidelta.exchange.tie import Tie

_PLACES = {"encoder_self": "encoder_prefix", "decoder_self": "self_prefix", "decoder_cross": "cross_prefix"}


class AdaptersPrefix(AdaptersMethod):
    """`PrefixTuningConfig`."""

    form = "prefix"
    architecture = "prefix_tuning"
    reads = frozenset({"encoder_prefix", "cross_prefix", "flat", "prefix_length"})
    required = ("encoder_prefix", "cross_prefix", "prefix_length")
    ignores = frozenset({"bottleneck_size", "non_linearity", "dropout", "shared_gating", "init_weights_seed"})

    def obstacles(self, parts: Sequence[DeltaSpec]) -> Iterator[str]:
        """Another composition than the gate, or another query."""
        for part in parts:
            if not COMPOSITIONS[part.composition].is_gate:
                yield f"its composition is {part.composition}; adapters puts prefix and text under one softmax (gated)"
            if part.layer_norm is not LayerNorm.NONE or not part.scaled_query:
                yield "its query is normalised or not scaled; that of adapters is attention's own"

    def configs(self, parts: Sequence[DeltaSpec], architecture: Architecture) -> list[dict[str, Any]]:
        """Flat, at every attention."""
        return [
            {
                "encoder_prefix": True,
                "cross_prefix": True,
                "flat": True,
                "prefix_length": part.bottleneck,
            }
            for part in parts
        ]

    def ties(self, placed: Sequence[Placed], name: str) -> Sequence[Tie]:
        """One flat tensor for each kind of attention: `(l, layers, key and value, features)`."""
        found = []
        for kind in dict.fromkeys(each.site.kind for each in placed):
            own = [each for each in placed if each.site.kind == kind]
            base = own[0].host.split(".")[0]
            place = _PLACES[kind] if any(each.site.kind.startswith("decoder") for each in placed) else "self_prefix"
            names = tuple(f"{each.name}.form.prefix.{leaf}" for each in own for leaf in ("key", "value"))

            def split(tensor: Tensor, n: int = len(names), length: int = own[0].part.bottleneck) -> Sequence[Tensor]:
                return tensor.reshape(length, -1).chunk(n, dim=1)

            found.append(
                Tie(
                    theirs=f"{base}.prefix_tuning.prefix_tunings.{name}.{place}.control_trans",
                    ours=names,
                    join=lambda tensors: torch.cat([*tensors], dim=1).flatten(),
                    split=split,
                )
            )
        return found

    def parts(self, config: Mapping[str, Any], architecture: Architecture, *, asked: str) -> list[DeltaSpec]:
        """One, at attention."""
        length, wrong = config.get("prefix_length"), []
        if type(length) is not int or length < 1:
            wrong.append(f"prefix_length={length}")
        if not config.get("flat"):
            wrong.append("flat=False: the MLP of training is still there")
        if architecture.family.is_encoder_decoder and not (config["encoder_prefix"] and config["cross_prefix"]):
            wrong.append("encoder_prefix or cross_prefix is off; here attention means every attention")
        if wrong:
            raise ExchangeError(asked, "; ".join(wrong), "model.eject_prefix_tuning(NAME), then save_adapter again")
        return [gated_prefix(architecture, int(config["prefix_length"]))]
