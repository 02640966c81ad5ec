"""The scale of rsLoRA (Kalajdzievski 2023): α/√r in place of a fixed s, so that the step does not shrink with r."""

import math
from typing import TYPE_CHECKING

from unidelta.design.composition import Composition, register_composition
from unidelta.design.form import FORMS, Materials
from unidelta.design.rule import Rule, lacks_positive_scale
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec
from unidelta.design.wording import typed_key

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose


@register_composition
class RankStabilised(Composition):
    """`h ← h + (α/√r) Δh`, α a setting."""

    name = "rank_stabilised"
    formula = "h ← h + (α/√r)·Δh"
    reads_scale = True
    rules = (
        Rule(
            name="α is a positive number",
            refuses=lacks_positive_scale,
            why="α of h + (α/√r)·Δh must be finite and positive; with α=0 nothing would be learnt",
            instead=lambda: f"composition=rank_stabilised {typed_key('composition.scale')}=16",
        ),
        Rule(
            name="α/√r needs a rank",
            refuses=lambda part, _: FORMS[part.form].size is None,
            why="the factor follows from the bottleneck r, and this form has none",
            instead="composition=scaled, or a form with a bottleneck such as method=lora",
        ),
    )

    def words(self, spec: DeltaSpec) -> str:
        """`s=16/√8`."""
        return f"s={spec.scale:g}/√{spec.bottleneck}"

    def factor(self, spec: DeltaSpec) -> float:
        """α/√r."""
        return spec.scale / math.sqrt(spec.bottleneck)

    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose":
        """`deltas.compose.Add` with this factor."""
        from unidelta.deltas.compose import Add
        from unidelta.deltas.layer_norm import out_norm

        return Add(scale=self.factor(spec), norm=out_norm(spec, place))
