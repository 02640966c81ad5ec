"""The descriptor of a functional form: everything that anybody asks about it, and no torch.

One file in `forms/` registers one, its torch module is a file in `deltas/`; a package of a user's own does the same
(`unidelta.register`). Counts, budgets, rules, descriptions, conventions and building ask the descriptor, so that no
other file knows a form by its name. `python -m unidelta.check form NAME` tries one out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from unidelta.design.architecture import Architecture
from unidelta.design.axes import Init, Insertion, LayerNorm, Representation, Slot, Source
from unidelta.design.family import Family
from unidelta.design.site import Place, SiteShape
from unidelta.design.spec import DeltaSpec
from unidelta.extensions.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from unidelta.deltas.form_module import FormModule, TrainingOnly


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One refusal: when it holds of a delta on a backbone, why that cannot be, and what to type instead."""

    name: str
    refuses: Callable[[DeltaSpec, Architecture], bool]
    why: str
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the authors' code and the paper's text may say differently of a delta."""

    representation: Representation
    source: Source = Source.SUBLAYER_INPUT
    layer_norm: LayerNorm = LayerNorm.NONE
    bias: bool = False
    scaled_query: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a delta is about to be put, before its details are known.

    Args:
        slot: attention or FFN.
        insertion: sequential or parallel.
        at_layer_output: whether it follows the FFN's add & norm (Pfeiffer) and not the sub-layer.
        family: the architecture.
    """

    slot: Slot
    insertion: Insertion
    at_layer_output: bool
    family: Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """What a module is made from, beside its spec and place.

    Args:
        generator: the source of randomness.
        dropout: the host's own dropout probability at this place.
        shared: what `Form.shared` made for this kind of sub-layer, or None.
        start: P_k, P_v to start from, each `(l, width of keys or values)`, or None.
    """

    generator: "Generator"
    dropout: float
    shared: "TrainingOnly | None" = None
    start: "tuple[Tensor, Tensor] | None" = None


class Form(ABC):
    """A functional form Δh = form(x or h).

    Attributes:
        name: what a user types.
        title: it in a sentence: `a bottleneck adapter`.
        short: it in a design's line: `adapter`.
        formula: Δh, with `{z}` for what the form reads.
        level: what it acts on: a sub-layer, its linear maps, or single attention heads.
        size: the letter of its bottleneck, r or l; None for a form without one.
        reads: keys of a slot, beside form, insertion and composition, that it reads.
        inits: how it can start, the default first.
        zero_starts: of these, those from which Δh = 0 at the start.
        usual_targets: the linear maps that a form of them is put on, by slot, where a check or a table needs some.
        has_softmax: whether it weighs its vectors by a softmax, so that a gate λ is defined (Eq. 10).
        options: keys of its own, typed as `method.<slot>.options.<key>`, each with its default.
        rules: what cannot be asked of it.
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
    usual_targets: ClassVar[Mapping[Slot, tuple[str, ...]]] = {}
    has_softmax: ClassVar[bool] = False
    options: ClassVar[Mapping[str, int | float | str | bool]] = {}
    rules: ClassVar[tuple[Rule, ...]] = ()

    @abstractmethod
    def released(self, setting: Setting) -> Details:
        """The details as the authors' released code has them."""

    @abstractmethod
    def paper(self, setting: Setting) -> Details:
        """The details as the paper's text has them."""

    @abstractmethod
    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its matrices at one place, as the paper counts; proportional to the bottleneck if it has one."""

    def n_vectors(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its biases at one place; layer norms and learned scales are counted elsewhere."""
        return 0

    def n_training_only(self, spec: DeltaSpec, sites: Sequence[SiteShape]) -> int:
        """Elements that train beyond those that are stored, at all sites together."""
        return 0

    def capacity(self, spec: DeltaSpec, architecture: Architecture) -> tuple[int, str]:
        """The largest bottleneck that makes sense, and of what it is the size."""
        return architecture.width, "the model's width"

    def for_inference(self, spec: DeltaSpec) -> DeltaSpec:
        """The spec of the same function once what only training needs is folded away."""
        return spec

    def shared(
        self, spec: DeltaSpec, sites: Sequence[SiteShape], generator: "Generator", start: "Tensor | None"
    ) -> "TrainingOnly | None":
        """A network that serves all sites of one kind while training, or None.

        Args:
            spec: the delta.
            sites: the sub-layers of that kind.
            generator: the source of randomness.
            start: `(l, widths of keys and values of all sites, side by side)` to start from, or None.
        """
        return None

    @abstractmethod
    def build(self, spec: DeltaSpec, place: Place, materials: Materials) -> "FormModule":
        """The torch module at one place; imports torch when it is called."""


FORMS: Registry[Form] = Registry(
    "functional form", package="unidelta.forms", first=("bottleneck", "low_rank", "prefix", "head_adapter")
)
"""Every functional form by name."""


def register_form(form: type[Form]) -> type[Form]:
    """Register a form; a decorator of its class. Raises as `Registry.register`."""
    FORMS.register(form())
    return form
