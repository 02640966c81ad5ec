"""What one of adapters' methods is here; a file in this room each."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from unidelta.design.architecture import Architecture
from unidelta.design.spec import DeltaSpec
from unidelta.exchange.places import Placed
from unidelta.exchange.tie import Tie

NAME = "unidelta"
"""What our adapters are called in adapters, which has several in one model."""


class AdaptersMethod(ABC):
    """A method of adapters: the configurations of one architecture, for some of a design's parts.

    Attributes:
        form: of the parts that are of this method, exportable or not.
        architecture: as in a configuration; None for bottleneck adapters.
        neutral: the keys of its configuration that mean nothing here, each with the values that are read.
        reads: the keys that mean something.
        required: those of them that must be there.
        ignores: keys that are of training or of the machine only, whatever their value.
    """

    form: ClassVar[str]
    architecture: ClassVar[str | None]
    reads: ClassVar[frozenset[str]]
    required: ClassVar[tuple[str, ...]]
    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    ignores: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def obstacles(self, parts: Sequence[DeltaSpec]) -> Iterator[str]:
        """What keeps these parts from being said in this method, in words."""

    @abstractmethod
    def configs(self, parts: Sequence[DeltaSpec], architecture: Architecture) -> list[dict[str, Any]]:
        """Their configurations, one or more, without what all methods have."""

    @abstractmethod
    def ties(self, placed: Sequence[Placed], name: str) -> Sequence[Tie]:
        """The tensors of the deltas of this method.

        Args:
            placed: the deltas.
            name: of the adapter.
        """

    @abstractmethod
    def parts(self, config: Mapping[str, Any], architecture: Architecture, *, asked: str) -> list[DeltaSpec]:
        """The parts that a configuration describes.

        Raises:
            ExchangeError: it has no counterpart here.
        """
