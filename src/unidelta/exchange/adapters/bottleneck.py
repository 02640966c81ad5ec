"""Bottleneck adapters: sequential, parallel, scaled, Houlsby's and Pfeiffer's (`BnConfig`)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from unidelta.deltas.bottleneck import Bottleneck
from unidelta.deltas.compose import Add, LearnedScale
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot
from unidelta.design.spec import DeltaSpec
from unidelta.errors import ExchangeError
from unidelta.exchange.adapters.method import AdaptersMethod
from unidelta.exchange.parts import part_of, scaled
from unidelta.exchange.places import Placed
from unidelta.exchange.tie import Tie, fixed

_AFTER_NORM = {  # original_ln_before, original_ln_after, residual_before_ln
    (False, True): Representation.SUBLAYER,
    (True, True): Representation.RESIDUAL,
    (True, False): Representation.LAYER,
}
_INITS = {Init.BERT: "bert", Init.LORA: "mam_adapter"}


class AdaptersBottleneck(AdaptersMethod):
    """`BnConfig` and its presets, with ReLU."""

    form = "bottleneck"
    architecture = None
    reads = frozenset(
        "mh_adapter output_adapter cross_adapter reduction_factor non_linearity original_ln_before original_ln_after"
        " residual_before_ln adapter_residual_before_ln ln_before ln_after is_parallel scaling init_weights".split()
    )
    required = ("mh_adapter", "output_adapter", "reduction_factor", "non_linearity")
    ignores = frozenset(
        "init_weights_seed dropout stochastic_depth inv_adapter_reduction_factor phm_dim factorized_phm_W shared_W_phm"
        " shared_phm_rule factorized_phm_rule phm_c_init phm_init_range learn_phm hypercomplex_nonlinearity phm_rank"
        " phm_bias".split()
    )

    def obstacles(self, parts: Sequence[DeltaSpec]) -> Iterator[str]:
        """A place before W_o, or a composition of another kind."""
        for part in parts:
            if part.representation is Representation.CONCAT:
                yield "it changes the concatenated heads before W_o; adapters changes attention's output"
            if part.composition not in ("additive", "scaled", "learned_scale"):
                yield f"its composition at the {part.slot} is {part.composition}; adapters adds a scaled Δh"

    def configs(self, parts: Sequence[DeltaSpec], architecture: Architecture) -> list[dict[str, Any]]:
        """One for both slots if they agree, else one for each."""
        own = [_settings(part, architecture.width) for part in parts]
        places = [{"mh_adapter": p.slot is Slot.ATTN, "output_adapter": p.slot is Slot.FFN} for p in parts]
        if len(own) == 2 and own[0] == own[1]:
            own, places = own[:1], [{"mh_adapter": True, "output_adapter": True}]
        has_cross = architecture.family.is_encoder_decoder
        return [
            {**place, "cross_adapter": place["mh_adapter"] and has_cross, **settings}
            for place, settings in zip(places, own, strict=True)
        ]

    def ties(self, placed: Sequence[Placed], name: str) -> Sequence[Tie]:
        """The projections; norms, which `adapter_down` holds too where they are in front; a learned s."""
        return [tie for each in placed for tie in _ties_of(each, f"{_holder(each)}.{name}")]

    def parts(self, config: Mapping[str, Any], architecture: Architecture, *, asked: str) -> list[DeltaSpec]:
        """One for each slot."""
        wrong, is_parallel = [], bool(config.get("is_parallel"))
        if str(config["non_linearity"]).lower() != "relu":
            wrong.append(f"non_linearity={config['non_linearity']}; adapters here have a ReLU")
        slots = [s for s, key in ((Slot.ATTN, "mh_adapter"), (Slot.FFN, "output_adapter")) if config.get(key)]
        if architecture.family.is_encoder_decoder and bool(config.get("cross_adapter")) != (Slot.ATTN in slots):
            wrong.append("mh_adapter without cross_adapter, or the reverse; here attention means every attention")
        norms = (bool(config.get("original_ln_before")), bool(config.get("original_ln_after", True)))
        representation = Representation.SUBLAYER if is_parallel else _AFTER_NORM.get(norms)
        keeps = {Representation.RESIDUAL: (True,), Representation.LAYER: (False,), None: ()}
        if representation is None or (is_parallel and not norms[1]):
            wrong.append("original_ln_after=False without original_ln_before=True")
        elif config.get("residual_before_ln", True) not in keeps.get(representation, (True, False)):
            wrong.append(f"residual_before_ln={config.get('residual_before_ln')} with these norms")
        elif representation is not Representation.SUBLAYER and Slot.ATTN in slots:
            wrong.append("original_ln_before=True at attention")
        scaling, has_norm = config.get("scaling", 1.0), bool(config.get("ln_after"))
        if has_norm and config.get("adapter_residual_before_ln"):
            wrong.append("adapter_residual_before_ln=True")
        if has_norm and config.get("ln_before"):
            wrong.append("ln_before and ln_after together")
        is_learned = scaling == "learned"
        if not is_learned and not (isinstance(scaling, float) and 0 < scaling < math.inf):
            wrong.append(f"scaling={scaling}")
        rank = _rank(config["reduction_factor"], architecture.width)
        if rank is None:
            wrong.append(f"reduction_factor={config['reduction_factor']}, which differs between layers or gives no r")
        if wrong or not slots or representation is None or rank is None:
            why = "; ".join(wrong) or "it has an adapter nowhere"
            raise ExchangeError(asked, why, "a bottleneck adapter of adapters that has a counterpart here")
        inits = {theirs: ours for ours, theirs in _INITS.items()}
        insertion = Insertion.PARALLEL if is_parallel else Insertion.SEQUENTIAL
        norm = LayerNorm.IN if config.get("ln_before") else LayerNorm.OUT if has_norm else LayerNorm.NONE
        composition = {"composition": "learned_scale"} if is_learned else scaled(scaling)
        return [
            part_of(
                architecture,
                slot=slot,
                form="bottleneck",
                insertion=insertion,
                bottleneck=rank,
                representation=representation,
                init=inits.get(config.get("init_weights", "bert"), Init.BERT),
                layer_norm=norm,
                bias=True,
                **composition,
            )
            for slot in slots
        ]


def _settings(part: DeltaSpec, width: int) -> dict[str, Any]:
    """What a configuration says apart from the places."""
    is_parallel = part.insertion is Insertion.PARALLEL
    place = next(norms for norms, own in _AFTER_NORM.items() if own is part.representation)
    return {
        "reduction_factor": reduction_factor(part.bottleneck, width),
        "non_linearity": "relu",
        "original_ln_before": place[0],
        "original_ln_after": place[1],
        "residual_before_ln": part.representation is not Representation.LAYER,
        "adapter_residual_before_ln": False,
        "ln_before": part.layer_norm is LayerNorm.IN,
        "ln_after": part.layer_norm is LayerNorm.OUT,
        "is_parallel": is_parallel,
        "scaling": "learned" if part.composition == "learned_scale" else float(part.scale),
        "init_weights": _INITS[part.init],
        "inv_adapter": None,
        "phm_layer": False,
    }


def reduction_factor(rank: int, width: int) -> float:
    """The reduction factor from which adapters computes `int(width // factor)`, exactly this rank."""
    factor = width / rank
    while width // factor < rank:  # one rounding too many: the next smaller number
        factor = math.nextafter(factor, 0.0)
    assert int(width // factor) == rank
    return factor


def _rank(factor: Any, width: int) -> int | None:
    if isinstance(factor, Mapping):
        values = set(factor.values())
        factor = values.pop() if len(values) == 1 else None
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not factor > 0:
        return None
    return max(1, int(width // factor))


def _holder(each: Placed) -> str:
    """The module list that holds adapters at a place, in BART's and in BERT's layers."""
    layer, _, last = each.host.rpartition(".")
    if each.site.kind in ("encoder_self", "decoder_self") and last == "self_attn":
        return f"{layer}.attention_adapters.adapters"
    if each.site.kind == "decoder_cross":
        return f"{layer}.cross_attention_adapters.adapters"
    if last == "output":  # BERT's modules are layers of adapters themselves
        return f"{each.host}.adapters"
    if layer.endswith(".layer"):  # BERT's layer, whose adapters are in its output module
        return f"{each.host}.output.adapters"
    return f"{each.host}.output_adapters.adapters"


def _ties_of(each: Placed, holder: str) -> list[Tie]:
    form, compose, name = each.delta.form, each.delta.compose, each.name
    assert isinstance(form, Bottleneck) and isinstance(compose, Add | LearnedScale)
    has_norm_in = form.norm is not None
    first = 1 if has_norm_in else 0  # the norm is the first module of `adapter_down`
    ties = []
    for theirs, ours, linear in ((f"adapter_down.{first}", "down", form.down), ("adapter_up", "up", form.up)):
        ties.append(Tie(theirs=f"{holder}.{theirs}.weight", ours=(f"{name}.form.{ours}.weight",)))
        bias = f"{holder}.{theirs}.bias"
        if linear.bias is not None:
            ties.append(Tie(theirs=bias, ours=(f"{name}.form.{ours}.bias",)))
        else:
            zeros = torch.zeros(linear.out_features, dtype=linear.weight.dtype)
            ties.append(fixed(bias, zeros))
    for leaf in ("weight", "bias"):
        if has_norm_in:
            for theirs in ("adapter_norm_before", "adapter_down.0"):
                ties.append(Tie(theirs=f"{holder}.{theirs}.{leaf}", ours=(f"{name}.form.norm.{leaf}",)))
        if compose.norm is not None:
            ties.append(Tie(theirs=f"{holder}.adapter_norm_after.{leaf}", ours=(f"{name}.compose.norm.{leaf}",)))
    if isinstance(compose, LearnedScale):
        ties.append(Tie(theirs=f"{holder}.scaling", ours=(f"{name}.compose.learned_scale",)))
    return ties
