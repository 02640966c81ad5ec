"""The chain of Householder reflections of HRA (Yuan et al. 2024)."""

from typing import TYPE_CHECKING

from unidelta.design.form import Materials, register_form
from unidelta.design.orthogonal_form import OrthogonalForm
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.reflections import Reflections as ReflectionsModule


@register_form
class Reflections(OrthogonalForm):
    """`M = H₁ … H_r − 1` with `H_i = 1 − 2 u_i u_iᵀ / ‖u_i‖²`."""

    name = "reflections"
    title = "a chain of reflections (HRA)"
    short = "reflections"
    formula = "(H₁ … H_r − 1) {z}, H_i = 1 − 2 u_i u_iᵀ/‖u_i‖²"
    zero_tolerance = 1e-10  # two equal reflections undo each other up to rounding

    def step(self, spec: DeltaSpec) -> int:
        """Pairs of equal reflections at the start, which undo each other."""
        return 2

    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """r vectors."""
        return spec.bottleneck * place.d_read

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "ReflectionsModule":
        """`deltas.reflections.Reflections`."""
        from unidelta.deltas.reflections import Reflections as Module

        return Module(place.d_read, spec.bottleneck, generator=materials.generator)
