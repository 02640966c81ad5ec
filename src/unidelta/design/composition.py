"""The descriptor of a composition: how a change Δh is combined with h (Table 1, last column); no torch.

Each file in `compositions/` registers one; a user's package does the same (`unidelta.register`).
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from unidelta.design.form import Materials
from unidelta.design.rule import Rule
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec
from unidelta.extensions.registry import Registry

if TYPE_CHECKING:
    from unidelta.deltas.compose import Compose, ComposeWeights


class Composition(ABC):
    """A composition h ← compose(h, Δh).

    Attributes:
        name: what a user types.
        formula: h ← …, for tables.
        reads_scale: whether it has a fixed factor s that a user can set.
        keeps_h: whether Δh = 0 leaves h unchanged.
        is_gate: whether it mixes h and Δh by λ, the share that a softmax over both gives Δh (Eq. 7–10).
        starts_at_zero: whether it leaves h unchanged at the start, whatever Δh is.
        on_weights: whether it is W ← compose(W, M), M the matrix of a linear form, in place of h and Δh.
        turns_input: whether M acts on what W reads: W R.
        rules: which requests it refuses.
    """

    name: str
    formula: ClassVar[str]
    reads_scale: ClassVar[bool] = False
    keeps_h: ClassVar[bool] = True
    is_gate: ClassVar[bool] = False
    starts_at_zero: ClassVar[bool] = False
    on_weights: ClassVar[bool] = False
    turns_input: ClassVar[bool] = False
    rules: ClassVar[tuple[Rule, ...]] = ()

    def n_parameters(self, spec: DeltaSpec, place: Place) -> int:
        """Elements that it trains at one place."""
        return 0

    def n_kept(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its persistent buffers at one place."""
        return 0

    def words(self, spec: DeltaSpec) -> str:
        """Its description in a design's line, e.g. `s=4`; "" for plain addition."""
        return self.name.replace("_", " ")

    def factor(self, spec: DeltaSpec) -> float | None:
        """s at the start if it adds s·Δh to h or s·M to W, else None."""
        return None

    @abstractmethod
    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "Compose | ComposeWeights":
        """The torch module at one place; imports torch when called."""


COMPOSITIONS: Registry[Composition] = Registry(
    Composition, "composition", package="unidelta.compositions", first=("additive", "scaled", "learned_scale", "gated")
)
"""Every composition by name."""


def register_composition(composition: type[Composition]) -> type[Composition]:
    """Register a composition; a decorator of its class. Raises as `Registry.register`."""
    COMPOSITIONS.register(composition())
    return composition
