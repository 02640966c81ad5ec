"""What was found in a folder of another library, before any of it is in a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from unidelta.design.spec import Design
from unidelta.exchange.tie import Tie
from unidelta.injection.injection import Injection


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A folder of another library, understood.

    Args:
        design: of its deltas.
        tensors: by their names.
        ties: what each tensor is in a model with the design.
        beside: names of the backbone's own parameters that the folder has: of a head, or new ones.
        backbone: the fingerprint of the weights that they are for, where it is known.
    """

    design: Design
    tensors: Mapping[str, Tensor]
    ties: Callable[[Injection], Sequence[Tie]]
    beside: Sequence[str]
    backbone: str | None = None
