"""How a method of peft maps to a design; each has a file in this room."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor
from transformers import PreTrainedModel

from unidelta.design.spec import Design
from unidelta.exchange.places import placed_deltas
from unidelta.exchange.tie import Tie
from unidelta.injection.injection import Injection

PREFIX = "base_model.model."
"""In front of every name in a file of peft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A folder of peft, as it is read.

    Args:
        asked: the request, in words.
        config: the content of its JSON.
        tensors: by the names in its file.
    """

    asked: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


class PeftMethod(ABC):
    """A method of peft.

    Attributes:
        peft_type: its name in adapter_config.json.
        reads: the keys of its configuration that mean something here.
        ignores: keys that are of training or of the machine only, whatever their value.
        leaves: the tensors of a delta, by the ends of their names there, each with its own name in the delta.
    """

    peft_type: ClassVar[str]
    reads: ClassVar[frozenset[str]]
    ignores: ClassVar[frozenset[str]] = frozenset()
    leaves: ClassVar[tuple[tuple[str, str], ...]] = ()

    @abstractmethod
    def is_of(self, injection: Injection) -> bool:
        """Whether deltas are of this method, exportable or not."""

    def has(self, config: Mapping[str, Any]) -> bool:
        """Whether a configuration is of this method."""
        return config.get("peft_type") == self.peft_type

    @abstractmethod
    def obstacles(self, injection: Injection) -> Iterator[str]:
        """What keeps the deltas from being said in this method, in words."""

    @abstractmethod
    def config(self, injection: Injection) -> dict[str, Any]:
        """The method's own keys of adapter_config.json."""

    def ties(self, injection: Injection) -> Sequence[Tie]:
        """The tensors of the deltas."""
        return [
            Tie(theirs=f"{PREFIX}{each.host}.{theirs}", ours=(f"{each.name}.{ours}",))
            for each in placed_deltas(injection)
            for theirs, ours in self.leaves
        ]

    @abstractmethod
    def design(self, foreign: Foreign, model: PreTrainedModel) -> Design:
        """The design of a folder.

        Raises:
            ExchangeError: it has no counterpart here.
        """
