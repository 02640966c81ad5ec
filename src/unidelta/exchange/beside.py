"""What other libraries save beside deltas, under the same names: a classification head, and what a checkpoint lacks."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from transformers import PreTrainedModel

from unidelta.design.spec import Deltas, Design, PromptTuning
from unidelta.exchange.tie import Tie
from unidelta.injection.beside import head_name
from unidelta.injection.injection import Injection
from unidelta.injection.saved import fingerprint


def beside_ties(names: Iterable[str], prefix: str = "") -> list[Tie]:
    """The same tensors under the same names behind a prefix."""
    return [Tie(theirs=f"{prefix}{name}", ours=(name,)) for name in names]


def with_head(design: Design, names: Collection[str], model: PreTrainedModel) -> Design:
    """The design with a trained head, if the head is among the names: other libraries save it where it was trained."""
    head = head_name(model)
    has_head = head is not None and any(name.startswith(f"{head}.") for name in names)
    return replace(design, trains_head=True) if has_head and isinstance(design, Deltas | PromptTuning) else design


def backbone_fingerprint(injection: Injection, saved: Collection[str]) -> str:
    """The fingerprint of the weights that deltas are for.

    Args:
        injection: the deltas.
        saved: names of the backbone's own parameters that are saved beside them.
    """
    return fingerprint(injection.model, without={*injection.stored_state(), *injection.trained, *saved})
