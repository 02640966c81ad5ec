"""The low-rank update of LoRA (Hu et al. 2022; He et al. 2022, Eq. 6)."""

from typing import TYPE_CHECKING

from unidelta.design.axes import Init, LayerNorm, Representation, Slot
from unidelta.design.form import Details, Form, Materials, Rule, Setting, register_form
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
    inits = (Init.BERT, Init.LORA)
    zero_starts = (Init.LORA,)
    usual_targets = {Slot.ATTN: ("query", "value"), Slot.FFN: ("up", "down")}  # noqa: RUF012
    rules = (
        Rule(
            name="layer norm of linear maps",
            refuses=lambda part, _: part.layer_norm is not LayerNorm.NONE,
            why="LoRA is linear so that it can be merged into the weights; a layer norm would break that",
            instead="layer_norm=none for this slot",
        ),
    )

    def released(self, setting: Setting) -> Details:
        """At linear maps."""
        return Details(representation=Representation.LINEAR)

    def paper(self, setting: Setting) -> Details:
        """The same."""
        return self.released(setting)

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """r (d_in + d_out)."""
        return spec.bottleneck * (place.d_read + place.d_changed)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FormModule":
        """`deltas.low_rank.LowRank`."""
        from unidelta.deltas.low_rank import LowRank as Module

        return Module(
            place.d_read,
            place.d_changed,
            spec.bottleneck,
            init=spec.init,
            dropout=spec.dropout or 0.0,
            generator=materials.generator,
        )
