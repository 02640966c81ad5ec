"""The descriptor of a generator: how the matrices of a form are made from fewer parameters; no torch.

A form has matrices: W_down and W_up of adapters and LoRA, P_k and P_v of prefixes. Without a generator they are the
parameters. Each file in `generators/` registers one way to make them; a user's package does the same
(`unidelta.register`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from unidelta.design.axes import Init
from unidelta.design.rule import Rule
from unidelta.design.site import Place, SiteShape
from unidelta.design.spec import DeltaSpec
from unidelta.extensions.registry import Registry

if TYPE_CHECKING:
    from torch import Generator as Randomness
    from torch import nn

    from unidelta.deltas.maps import Maps
    from unidelta.design.form import Materials


class Generator(ABC):
    """A way to make the matrices of a form.

    Attributes:
        name: what a user types.
        makes: the maps W_down and W_up, or the vectors P_k and P_v.
        formula: how, for tables.
        inits: its initialisations, the default first; they replace the form's.
        zero_starts: the initialisations for which Δh = 0 at the start.
        options: its own keys, typed as `method.<slot>.options.<key>`, each with its default.
        rules: which requests it refuses.
    """

    name: str
    makes: ClassVar[Literal["maps", "vectors"]]
    formula: ClassVar[str]
    inits: ClassVar[tuple[Init, ...]] = (Init.LORA,)
    zero_starts: ClassVar[tuple[Init, ...]] = (Init.LORA,)
    options: ClassVar[Mapping[str, int | float | str | bool]] = {}
    rules: ClassVar[tuple[Rule, ...]] = ()

    @abstractmethod
    def n_matrices(self, spec: DeltaSpec, place: Place) -> int:
        """Elements that it trains at one place; they never decrease with the bottleneck."""

    def n_activations(self, spec: DeltaSpec, place: Place) -> int:
        """Width of what W_down computes: the bottleneck, or more where the product's rank exceeds it (VeRA, LoHa)."""
        return spec.bottleneck

    def n_shared(self, spec: DeltaSpec, sites: Sequence[SiteShape]) -> int:
        """Elements that it trains once for all sites."""
        return 0

    def n_kept(self, spec: DeltaSpec, place: Place) -> int:
        """Elements of its persistent buffers at one place."""
        return 0

    def step(self, spec: DeltaSpec) -> int:
        """Bottlenecks are multiples of this number."""
        return 1

    def capacity(self, spec: DeltaSpec, places: Sequence[Place]) -> tuple[int, str] | None:
        """The largest bottleneck and the quantity that limits it, if it has a limit of its own."""
        return None

    def shared(self, spec: DeltaSpec, sites: Sequence[SiteShape], randomness: "Randomness") -> "nn.Module | None":
        """A module that serves all sites, or None.

        Args:
            spec: the delta.
            sites: the sub-layers that it serves.
            randomness: the source of randomness.
        """
        return None

    @abstractmethod
    def build(self, spec: DeltaSpec, place: Place, materials: "Materials") -> "nn.Module":
        """The torch module at one place, which returns the pair of matrices; imports torch when called."""


GENERATORS: Registry[Generator] = Registry(Generator, "generator", package="unidelta.generators")
"""Every generator by name."""


def register_generator(generator: type[Generator]) -> type[Generator]:
    """Register a generator; a decorator of its class. Raises as `Registry.register`."""
    GENERATORS.register(generator())
    return generator


def generator_of(spec: DeltaSpec) -> Generator | None:
    """The generator of a delta's matrices; None if they are parameters themselves."""
    return None if spec.generator is None else GENERATORS[spec.generator]


def generated_maps(spec: DeltaSpec, place: Place, materials: "Materials") -> "Maps | None":
    """What makes the W_down and W_up of a delta at one place; None if they are parameters."""
    from unidelta.deltas.maps import Maps

    generator = generator_of(spec)
    maps = None if generator is None else generator.build(spec, place, materials)
    assert maps is None or isinstance(maps, Maps)  # a rule says that the generator makes maps
    return maps
