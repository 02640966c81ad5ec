"""From a `DeltaSpec` to the delta of one site."""

import torch
from torch import Generator, nn

from unidelta.deltas.compose import Compose, Gate, LearnedScale
from unidelta.deltas.delta import Delta
from unidelta.deltas.forms import Bottleneck, LowRank
from unidelta.deltas.heads import HeadAdapter, Prefix
from unidelta.deltas.reparam import DirectPrefix, PrefixMLP, ReparametrisedPrefix
from unidelta.design.architecture import Architecture
from unidelta.design.axes import Composition, Form, Insertion, LayerNorm
from unidelta.design.spec import DeltaSpec
from unidelta.families.activations import Activations
from unidelta.families.sites import Site

_HEAD_FORMS = {Form.PREFIX: Prefix, Form.HEAD_ADAPTER: HeadAdapter}


def build_bottleneck(spec: DeltaSpec, architecture: Architecture, site: Site, generator: Generator) -> Delta:
    """An adapter for one sub-layer (Eq. 4)."""
    form = Bottleneck(
        architecture.d_model,
        spec.bottleneck,
        init=spec.init,
        bias=spec.bias,
        dropout=site.dropout if spec.dropout is None else spec.dropout,
        norm=_norm(spec, LayerNorm.IN, architecture),
        generator=generator,
    )
    return _delta(spec, form, architecture)


def build_low_rank(spec: DeltaSpec, architecture: Architecture, linear: nn.Linear, generator: Generator) -> Delta:
    """A low-rank update of one linear map (Eq. 6)."""
    parallel = spec.insertion is Insertion.PARALLEL
    form = LowRank(
        linear.in_features if parallel else linear.out_features,
        linear.out_features,
        spec.bottleneck,
        init=spec.init,
        dropout=spec.dropout or 0.0,
        generator=generator,
    )
    return _delta(spec, form, architecture)


def build_heads(
    spec: DeltaSpec,
    architecture: Architecture,
    site: Site,
    mlp: PrefixMLP | None,
    generator: Generator,
    start: Activations | None,
) -> Delta:
    """A prefix or a multi-head adapter for one attention (Eq. 7–10).

    Args:
        spec: the delta.
        architecture: the backbone.
        site: the attention.
        mlp: the network of its kind of attention, None for directly parameterised vectors.
        generator: the source of randomness of the initialisation.
        start: keys and values to start from, None for random ones.
    """
    prefix = (
        ReparametrisedPrefix(mlp, site.layer)
        if mlp is not None
        else DirectPrefix(
            spec.bottleneck,
            architecture.d_model,
            generator=generator,
            start=None if start is None else start[site.kind, site.layer],
        )
    )
    head_width = architecture.d_model // architecture.n_heads
    form = _HEAD_FORMS[spec.form](
        prefix,
        architecture.n_heads,
        scaling=head_width**-0.5 if spec.scaled_query else 1.0,
        dropout=site.dropout if spec.dropout is None else spec.dropout,
        query_norm=_norm(spec, LayerNorm.IN, architecture),
    )
    return _delta(spec, form, architecture)


def build_mlp(
    spec: DeltaSpec, architecture: Architecture, kind: str, generator: Generator, start: Activations | None
) -> PrefixMLP:
    """The network that makes the prefixes of one kind of attention."""
    n_layers = architecture.attention_kinds[kind]
    rows = None
    if start is not None:
        rows = torch.cat([vectors for layer in range(n_layers) for vectors in start[kind, layer]], dim=1)
    return PrefixMLP(
        spec.bottleneck,
        architecture.d_model,
        spec.mlp_width,
        n_layers,
        dropout=spec.prefix_dropout,
        generator=generator,
        start=rows,
    )


def _delta(spec: DeltaSpec, form: nn.Module, architecture: Architecture) -> Delta:
    return Delta(form, _compose(spec, architecture), parallel=spec.insertion is Insertion.PARALLEL)


def _compose(spec: DeltaSpec, architecture: Architecture) -> Compose:
    norm = _norm(spec, LayerNorm.OUT, architecture)
    match spec.composition:
        case Composition.ADDITIVE:
            return Compose(norm=norm)
        case Composition.SCALED:
            return Compose(scale=spec.scale, norm=norm)
        case Composition.LEARNED_SCALE:
            return LearnedScale(norm=norm)
        case Composition.GATED:
            return Gate()


def _norm(spec: DeltaSpec, place: LayerNorm, architecture: Architecture) -> nn.LayerNorm | None:
    return nn.LayerNorm(architecture.d_model) if spec.layer_norm is place else None
