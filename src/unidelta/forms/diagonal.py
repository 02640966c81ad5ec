"""The diagonal of IA³ (Liu et al. 2022) and SSF (Lian et al. 2022): a factor, and a shift, for every feature."""

from typing import TYPE_CHECKING

from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot
from unidelta.design.form import Details, Form, Materials, Outline, register_form
from unidelta.design.rule import Rule
from unidelta.design.site import INNER, Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.diagonal import Diagonal as DiagonalModule


@register_form
class Diagonal(Form):
    """`Δh = (ℓ − 1) ⊙ h + b`, so that `h + Δh = ℓ ⊙ h + b`; no bottleneck, one factor for each feature; SSF has b."""

    name = "diagonal"
    title = "a diagonal (IA³, SSF)"
    short = "diagonal"
    formula = "(ℓ − 1) ⊙ {z}"
    level = "linear"
    size = None
    reads = frozenset({"targets", "bias", "init"})
    inits = (Init.ONES, Init.BERT)
    zero_starts = (Init.ONES,)
    is_linear = True
    usual_targets = {Slot.ATTN: ("key", "value"), Slot.FFN: (INNER,)}  # noqa: RUF012
    rules = (
        Rule(
            name="a diagonal multiplies what it changes",
            refuses=lambda part, _: part.insertion is Insertion.PARALLEL,
            why="ℓ ⊙ h reads the representation that it changes, so it is sequential by its equation",
            instead="insertion=sequential, or a parallel method: method=lora",
        ),
        Rule(
            name="layer norm of a diagonal",
            refuses=lambda part, _: part.layer_norm is not LayerNorm.NONE,
            why="IA³ is linear so that it can be merged into the weights; a layer norm would break that",
            instead="layer_norm=none for this slot",
        ),
    )

    def released(self, outline: Outline) -> Details:
        """At linear maps, or the FFN's inner activation."""
        return Details(representation=Representation.LINEAR)

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """ℓ: counted as matrices, because IA³ has nothing else."""
        return place.d_changed

    def n_vectors(self, spec: DeltaSpec, place: Place) -> int:
        """b."""
        return place.d_changed if spec.bias else 0

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "DiagonalModule":
        """`deltas.diagonal.Diagonal`."""
        from unidelta.deltas.diagonal import Diagonal as Module

        return Module(place.d_changed, init=spec.init, bias=spec.bias, generator=materials.generator)
