"""What the forms on attention heads share: vectors P_k, P_v per head, which an MLP can compute in training."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unidelta.design.axes import (
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Representation,
    Rotation,
    Slot,
    TextStart,
)
from unidelta.design.form import Details, Form, Materials, Outline
from unidelta.design.generator import generator_of
from unidelta.design.rule import Rule
from unidelta.design.site import Place, SiteShape
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from unidelta.deltas.heads import HeadModule
    from unidelta.deltas.reparam import PrefixMLP, PrefixVectors

RULES = (
    Rule(
        name="head-level forms live in attention",
        refuses=lambda part, _: part.slot is Slot.FFN,
        why="it changes the output of attention heads, and an FFN has none (Table 1)",
        instead="position=attn, or for the FFN method=parallel_adapter, method=adapter or method=lora position=ffn",
    ),
    Rule(
        name="head-level forms are parallel",
        refuses=lambda part, _: part.insertion is Insertion.SEQUENTIAL,
        why="it reads the query, an input of attention, so it is parallel by its equation (Eq. 7–10)",
        instead="insertion=parallel, or a sequential method: method=adapter position=attn",
    ),
    Rule(
        name="layer norm of head-level forms",
        refuses=lambda part, _: part.layer_norm is LayerNorm.OUT,
        why="its output is split over heads; the layer norm of the authors' code sits on the query's input",
        instead="layer_norm=in or layer_norm=none for this slot",
    ),
    Rule(
        name="only rotary positions rotate keys",
        refuses=lambda part, architecture: part.rotation is Rotation.BEFORE and not architecture.family.is_rotary,
        why="the keys of this architecture are not rotated, so there is no before and after",
        instead="rotation=after for this slot, or a backbone with rotary positions such as backbone=llama",
    ),
    Rule(
        name="text starts at l where positions are an input",
        refuses=lambda part, architecture: (
            part.text_start is TextStart.LENGTH and not architecture.family.takes_positions
        ),
        why="this architecture takes no positions: they are relative, or its embeddings number the text themselves",
        instead="text_start=zero for this slot, or a backbone that takes positions such as backbone=llama",
    ),
    Rule(
        name="the MLP has a width",
        refuses=lambda part, _: part.reparameterisation is Reparameterisation.MLP and part.mlp_width < 1,
        why="the hidden layer of the prefix MLP needs at least one unit (the paper's has 800)",
        instead="mlp_width=800, or reparameterisation=direct for this slot",
    ),
)


class HeadForm(Form):
    """A form per attention head, `Δh = f(q P_kᵀ) P_v`, q the query and f a softmax or another function."""

    level = "heads"
    size = "l"
    reads = frozenset("init layer_norm dropout reparameterisation mlp_width prefix_dropout rotation text_start".split())
    generated = "vectors"
    rules = RULES

    def released(self, outline: Outline) -> Details:
        """At the heads."""
        return Details(representation=Representation.HEADS)

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """l keys and l values: Table 9's 2ld where keys and values are as wide as the model."""
        return spec.bottleneck * sum(_widths(place.site))

    def n_training_only(self, spec: DeltaSpec, sites: Sequence[SiteShape]) -> int:
        """What the MLPs have beyond the P_k, P_v that they make: embedding, Linear, tanh, Linear for each kind."""
        if spec.reparameterisation is not Reparameterisation.MLP:
            return 0
        length, mid, extra = spec.bottleneck, spec.mlp_width, 0
        for kind in dict.fromkeys(site.kind for site in sites):
            of_kind = [site for site in sites if site.kind == kind]
            d, n_out = of_kind[0].width, sum(sum(_widths(site)) for site in of_kind)
            extra += length * d + (d * mid + mid) + (mid * n_out + n_out) - length * n_out
        return extra

    def for_inference(self, spec: DeltaSpec) -> DeltaSpec:
        """The spec with the vectors themselves instead of the MLP."""
        return replace(spec, reparameterisation=Reparameterisation.DIRECT, init=Init.BERT)

    def shares_over(self, spec: DeltaSpec, site: SiteShape) -> str:
        """One MLP serves one kind of attention."""
        return f"prefix_mlp_{site.kind}"

    def shared(
        self, spec: DeltaSpec, sites: Sequence[SiteShape], generator: "Generator", start: "Tensor | None"
    ) -> "PrefixMLP | None":
        """The MLP that makes P_k, P_v of all layers of a kind (Li & Liang 2021, §4.3)."""
        if spec.reparameterisation is not Reparameterisation.MLP:
            return None
        from unidelta.deltas.reparam import PrefixMLP

        return PrefixMLP(
            spec.bottleneck,
            sites[0].width,
            spec.mlp_width,
            {site.layer: _widths(site) for site in sites},
            dropout=spec.prefix_dropout,
            generator=generator,
            start=start,
        )

    @property
    @abstractmethod
    def module(self) -> "type[HeadModule]":
        """The torch module's class; imports torch when called."""

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "HeadModule":
        """The module of one attention, with its own vectors or a view of its kind's MLP."""
        from unidelta.deltas.layer_norm import layer_norm

        site = place.site
        return self.module(
            self._vectors(spec, place, materials),
            site.n_heads,
            site.n_kv_heads,
            scaling=site.logit_scale if spec.scaled_query else 1.0,
            dropout=materials.dropout if spec.dropout is None else spec.dropout,
            query_norm=layer_norm(spec, LayerNorm.IN, site.width),
        )

    def _vectors(self, spec: DeltaSpec, place: Place, materials: Materials) -> "PrefixVectors":
        """What gives P_k, P_v: a generator, the MLP of the kind, or parameters."""
        from unidelta.deltas.reparam import DirectPrefix, PrefixMLP, PrefixVectors, ReparametrisedPrefix

        generator = generator_of(spec)
        if generator is not None:
            vectors = generator.build(spec, place, materials)
            assert isinstance(vectors, PrefixVectors)  # a rule says that it makes vectors
            return vectors
        if isinstance(materials.shared, PrefixMLP):
            return ReparametrisedPrefix(materials.shared, place.site.layer)
        if materials.start is not None:
            return DirectPrefix(*materials.start)
        return DirectPrefix.drawn(spec.bottleneck, _widths(place.site), generator=materials.generator)


def _widths(site: SiteShape) -> tuple[int, int]:
    """Features of one key and of one value, all heads together."""
    return site.linears["key"].d_out, site.linears["value"].d_out
