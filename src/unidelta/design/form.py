"""The descriptor of a functional form: everything about it except its torch module.

Each file in `forms/` registers one, and its torch module is a file in `deltas/`; a user's package does the same
(`unidelta.register`). Counts, budgets, rules, descriptions, conventions and building use the descriptor, so that no
other file refers to a form by name. `python -m unidelta.check form NAME` checks one.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot, Source
from unidelta.design.family import Family
from unidelta.design.generator import generator_of
from unidelta.design.rule import Rule
from unidelta.design.site import Place, SiteShape, places
from unidelta.design.spec import DeltaSpec
from unidelta.extensions.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

    from unidelta.deltas.form_module import FormModule
    from unidelta.deltas.frozen_map import FrozenMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Details of a delta that may differ between the authors' code and the paper's text."""

    representation: Representation
    source: Source = Source.SUBLAYER_INPUT
    layer_norm: LayerNorm = LayerNorm.NONE
    bias: bool = False
    scaled_query: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What is known of a delta before its details, which follow from it.

    Args:
        slot: attention or FFN.
        insertion: sequential or parallel.
        at_layer_output: whether it follows the FFN's add & norm (Pfeiffer) instead of the sub-layer.
        family: the architecture.
    """

    slot: Slot
    insertion: Insertion
    at_layer_output: bool
    family: Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What a module is built from, in addition to its spec and place.

    Args:
        generator: the source of randomness.
        dropout: the host's own dropout probability at this place.
        shared: the module from `Form.shared` for this kind of sub-layer, or None.
        start: P_k, P_v to start from, each `(l, width of keys or values)`, or None.
        linears: the frozen linear maps of the sub-layer, by role.
        key_norm: the frozen norm of keys, one head at a time; None if there is none.
    """

    generator: "Generator"
    dropout: float
    shared: "nn.Module | None" = None
    start: "tuple[Tensor, Tensor] | None" = None
    linears: "Mapping[str, FrozenMap]" = field(default_factory=dict[str, "FrozenMap"])
    key_norm: "nn.Module | None" = None


class Form(ABC):
    """A functional form Δh = form(x or h).

    Attributes:
        name: what a user types.
        title: its name in a sentence: `a bottleneck adapter`.
        short: its name in the line that describes a design: `adapter`.
        formula: Δh, with `{z}` for what the form reads.
        level: what it acts on: a sub-layer, its linear maps, or single attention heads.
        size: the letter of its bottleneck, r or l; None for a form without one.
        reads: the keys of a slot that it reads, besides form, insertion and composition.
        inits: its initialisations, the default first.
        zero_starts: the initialisations for which Δh = 0 at the start.
        zero_tolerance: by how much a zero start may miss it, for a product that is 1 up to rounding.
        usual_targets: default linear maps by slot, for checks and tables of forms on linear maps.
        has_softmax: whether it weights its vectors by a softmax, so that a gate λ is defined (Eq. 8).
        is_linear: whether Δh is a matrix times what it reads.
        turns_input: whether it changes what a linear map reads, as a factor of its weight: W R.
        generated: the matrices that a generator can make: maps or vectors; None if it has none.
        options: its own keys, typed as `method.<slot>.options.<key>`, each with its default.
        rules: which requests it refuses.
    """

    name: str
    title: ClassVar[str]
    short: ClassVar[str]
    formula: ClassVar[str]
    level: ClassVar[Literal["sublayer", "linear", "heads"]]
    size: ClassVar[str | None] = "r"
    reads: ClassVar[frozenset[str]] = frozenset()
    inits: ClassVar[tuple[Init, ...]] = (Init.BERT,)
    zero_starts: ClassVar[tuple[Init, ...]] = ()
    zero_tolerance: ClassVar[float] = 0.0
    usual_targets: ClassVar[Mapping[Slot, tuple[str, ...]]] = {}
    has_softmax: ClassVar[bool] = False
    is_linear: ClassVar[bool] = False
    turns_input: ClassVar[bool] = False
    generated: ClassVar[Literal["maps", "vectors"] | None] = None
    options: ClassVar[Mapping[str, int | float | str | bool]] = {}
    rules: ClassVar[tuple[Rule, ...]] = ()

    @abstractmethod
    def released(self, outline: Outline) -> Details:
        """The details in the authors' released code."""

    def paper(self, outline: Outline) -> Details:
        """The details in the paper's text: those of the code where the two agree."""
        return self.released(outline)

    @abstractmethod
    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its matrices at one place, as the paper counts; they never decrease with the bottleneck.

        Where a generator makes the matrices, its own `n_matrices` is counted instead.
        """

    def n_vectors(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its biases at one place; layer norms and learned scales are counted elsewhere."""
        return 0

    def n_training_only(self, spec: DeltaSpec, sites: Sequence[SiteShape]) -> int:
        """Elements that train but are not stored, at all sites together."""
        return 0

    def n_kept(self, spec: DeltaSpec, place: Place) -> int:
        """Elements that inference needs and that do not train, at one place: frozen parameters, persistent buffers."""
        return 0

    def smallest(self, spec: DeltaSpec) -> int:
        """The smallest bottleneck."""
        return self.step(spec)

    def step(self, spec: DeltaSpec) -> int:
        """Bottlenecks are multiples of this number."""
        generator = generator_of(spec)
        return 1 if generator is None else generator.step(spec)

    def capacity(self, spec: DeltaSpec, architecture: Architecture) -> tuple[int, str]:
        """The largest sensible bottleneck, and the quantity that limits it."""
        generator = generator_of(spec)
        known = None if generator is None else generator.capacity(spec, self.places(spec, architecture))
        return known or (architecture.width, "the model's width")

    def places(self, spec: DeltaSpec, architecture: Architecture) -> list[Place]:
        """Every place of a delta in a backbone."""
        return [place for site in architecture.sites_of(spec) for place in places(spec, site)]

    def for_inference(self, spec: DeltaSpec) -> DeltaSpec:
        """The spec of the same function after folding the networks used only in training."""
        return spec

    def shares_over(self, spec: DeltaSpec, site: SiteShape) -> str:
        """The group of sites that `shared` serves, as a name of letters and _: by default all of the delta's."""
        return f"shared_{spec.slot}_{'_'.join(spec.targets) or spec.representation}"

    def shared(
        self, spec: DeltaSpec, sites: Sequence[SiteShape], generator: "Generator", start: "Tensor | None"
    ) -> "nn.Module | None":
        """A module that serves all sites of one group, or None; a `TrainingOnly` one is dropped after training.

        Args:
            spec: the delta.
            sites: the sub-layers of that group.
            generator: the source of randomness.
            start: `(l, widths of keys and values of all sites, side by side)` to start from, or None.
        """
        of_matrices = generator_of(spec)  # not the `generator` of random numbers
        return None if of_matrices is None else of_matrices.shared(spec, sites, generator)

    @abstractmethod
    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FormModule":
        """The torch module at one place; imports torch when called."""


FORMS: Registry[Form] = Registry(
    Form, "functional form", package="unidelta.forms", first=("bottleneck", "low_rank", "prefix", "head_adapter")
)
"""Every functional form by name."""


def register_form(form: type[Form]) -> type[Form]:
    """Register a form; a decorator of its class. Raises as `Registry.register`."""
    FORMS.register(form())
    return form
