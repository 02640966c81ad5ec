"""The gate of prefix tuning (He et al. 2022, Eq. 7–10)."""

from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import FORMS, Materials
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class Gated(Composition):
    """`h ← (1 − λ) h + λ Δh`, λ the prefix's share of one softmax over prefix and sequence."""

    name = "gated"
    formula = "h ← (1−λ)·h + λ·Δh"
    keeps_h = False
    is_gate = True
    rules = (
        Rule(
            name="only a softmax can gate",
            refuses=lambda part, _: not FORMS[part.form].has_softmax,
            why="the gate λ is a ratio of softmax normalisers (Eq. 8), and only a prefix has a softmax",
            instead="composition=additive, composition=scaled or composition=learned_scale; or method=prefix",
        ),
    )

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.Gate`."""
        from unidelta.deltas.compose import Gate

        return Gate()
