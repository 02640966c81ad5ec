"""The intervention of LoReFT (Wu et al. 2024): a low-rank subspace of h, moved where a linear map of h says."""

from typing import TYPE_CHECKING

from unidelta.design.axes import Init, Insertion, LayerNorm, Representation
from unidelta.design.form import Details, Form, Materials, Outline, register_form
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.tied_orthogonal import TiedOrthogonal as TiedOrthogonalModule


@register_form
class TiedOrthogonal(Form):
    """`Δh = Rᵀ (A h + b − R h)`, R with r orthonormal rows: W_up is tied to W_down."""

    name = "tied_orthogonal"
    title = "a tied orthogonal update (LoReFT)"
    short = "tied orthogonal"
    formula = "Rᵀ (A {z} + b − R {z}), R Rᵀ = 1"
    level = "sublayer"
    reads = frozenset({"init", "layer_norm", "at_layer_output", "tokens"})
    inits = (Init.ORTHOGONAL, Init.TIED)
    zero_starts = (Init.TIED,)
    zero_tolerance = 1e-5  # R is found again in the precision of the model, A was drawn in float32
    rules = (
        Rule(
            name="LoReFT edits what it reads",
            refuses=lambda part, _: part.insertion is Insertion.PARALLEL,
            why="A h + b takes the place of R h: it reads the representation that it changes (Wu et al. 2024, Eq. 2)",
            instead="insertion=sequential, or method=parallel_adapter",
        ),
    )

    def released(self, outline: Outline) -> Details:
        """At the output of the layer or of the sub-layer."""
        return Details(
            representation=Representation.LAYER if outline.at_layer_output else Representation.SUBLAYER, bias=True
        )

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """R and A."""
        return 2 * spec.bottleneck * place.d_changed

    def n_vectors(self, spec: DeltaSpec, place: Place) -> int:
        """b."""
        return spec.bottleneck

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "TiedOrthogonalModule":
        """`deltas.tied_orthogonal.TiedOrthogonal`."""
        from unidelta.deltas.layer_norm import layer_norm
        from unidelta.deltas.tied_orthogonal import TiedOrthogonal as Module

        norm = layer_norm(spec, LayerNorm.IN, place.d_read)
        return Module(place.d_changed, spec.bottleneck, init=spec.init, norm=norm, generator=materials.generator)
