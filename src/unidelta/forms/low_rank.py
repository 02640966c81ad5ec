"""The low-rank update of LoRA (Hu et al. 2022; He et al. 2022, Eq. 6)."""

from typing import TYPE_CHECKING

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import Details, Form, Materials, Outline, register_form
from unidelta.design.generator import generated_maps
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.form_module import FormModule


@register_form
class LowRank(Form):
    """`Δh = z W_down W_up`, z the input or the output of a linear map."""

    name = "low_rank"
    title = "a low-rank update (LoRA)"
    short = "low rank"
    formula = "{z} W_down W_up"
    level = "linear"
    reads = frozenset({"init", "dropout", "targets", "layer_norm"})
    inits = (Init.BERT, Init.LORA, Init.PISSA)
    zero_starts = (Init.LORA, Init.PISSA)
    is_linear = True
    generated = "maps"
    usual_targets = {Slot.ATTN: ("query", "value"), Slot.FFN: ("up", "down")}  # noqa: RUF012
    rules = (
        Rule(
            name="layer norm of linear maps",
            refuses=lambda part, _: part.layer_norm is not LayerNorm.NONE,
            why="LoRA is linear so that it can be merged into the weights; a layer norm would break that",
            instead="layer_norm=none for this slot",
        ),
        Rule(
            name="PiSSA starts from the weight that it changes",
            refuses=lambda part, _: part.init is Init.PISSA and part.insertion is Insertion.SEQUENTIAL,
            why="it takes W apart (Meng et al. 2024, Eq. 2–4), so W_down W_up has the shape of W: it reads x",
            instead="insertion=parallel, or init=lora for this slot",
        ),
        Rule(
            name="PiSSA adds s times a matrix",
            refuses=lambda part, _: part.init is Init.PISSA and COMPOSITIONS[part.composition].factor(part) is None,
            why="what is subtracted at the start is s W_down W_up, and this composition has no such s",
            instead="composition=additive, scaled, rank_stabilised or magnitude_direction; or init=lora",
        ),
    )

    def released(self, outline: Outline) -> Details:
        """At linear maps."""
        return Details(representation=Representation.LINEAR)

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """r (d_in + d_out)."""
        return spec.bottleneck * (place.d_read + place.d_changed)

    def n_kept(self, spec: DeltaSpec, place: Place) -> int:
        """What PiSSA started from, which inference subtracts: as many again."""
        return self.n_matrices(spec, place) if spec.init is Init.PISSA else 0

    def capacity(self, spec: DeltaSpec, architecture: Architecture) -> tuple[int, str]:
        """At most the model's width; for PiSSA at most the rank of the smallest weight."""
        known = super().capacity(spec, architecture)
        if spec.init is not Init.PISSA:
            return known
        ranks = [min(place.d_read, place.d_changed) for place in self.places(spec, architecture)]
        return min([known, *((rank, "the rank of its smallest weight") for rank in ranks)])

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FormModule":
        """`deltas.low_rank.LowRank`, or the same with maps that PiSSA or a generator makes."""
        from unidelta.deltas.low_rank import GeneratedLowRank, LowRank, Pissa

        maps, dropout = generated_maps(spec, place, materials), spec.dropout or 0.0
        if maps is not None:
            return GeneratedLowRank(maps, dropout=dropout)
        if spec.init is Init.PISSA:
            factor = COMPOSITIONS[spec.composition].factor(spec)
            assert factor is not None  # a rule says so
            return Pissa(materials.linears[place.target].weight(), spec.bottleneck, factor=factor, dropout=dropout)
        return LowRank(
            place.d_read,
            place.d_changed,
            spec.bottleneck,
            init=spec.init,
            dropout=dropout,
            generator=materials.generator,
        )
