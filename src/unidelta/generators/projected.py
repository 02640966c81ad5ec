"""The generator of LLaMA-Adapter (Zhang et al. 2023): vectors of the model's width, projected as the tokens are."""

from typing import TYPE_CHECKING

from unidelta.design.axes import Init, Reparameterisation
from unidelta.design.form import Materials
from unidelta.design.generator import Generator, register_generator
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.projected import ProjectedPrefix


@register_generator
class ProjectedGenerator(Generator):
    """`P_k = P W_k`, `P_v = P W_v`, W_k and W_v the frozen maps (with biases and norm of keys), P `(l, d)` trained."""

    name = "projected"
    makes = "vectors"
    formula = "P_k = P W_k, P_v = P W_v"
    inits = (Init.BERT,)
    zero_starts = ()
    rules = (
        Rule(
            name="one way to make a prefix",
            refuses=lambda part, _: part.reparameterisation is Reparameterisation.MLP,
            why="P_k and P_v come from P, so no MLP makes them",
            instead="reparameterisation=direct for this slot",
        ),
    )

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """P."""
        return spec.bottleneck * place.site.width

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "ProjectedPrefix":
        """`deltas.projected.ProjectedPrefix`."""
        from unidelta.deltas.projected import ProjectedPrefix

        maps = materials.linears["key"], materials.linears["value"]
        norm = None if materials.key_norm is None else (materials.key_norm, place.site.head_width)
        return ProjectedPrefix(spec.bottleneck, place.site.width, maps, norm, generator=materials.generator)
