"""Whether the parameters of a delta are as many as its files count: budgets and records state those counts as facts."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from unidelta.design.architecture import Architecture
from unidelta.design.count import trained_count
from unidelta.design.spec import DeltaSpec
from unidelta.errors import DesignError


class MiscountedError(DesignError):
    """A form, composition or generator whose modules have other parameters than its file counts."""


@contextmanager
def counted(model: nn.Module, part: DeltaSpec, architecture: Architecture) -> Iterator[None]:
    """A context in which a part is attached to a frozen model.

    Raises:
        MiscountedError: at its end, if what trains is not what the files count.
    """
    before = _n_trained(model)
    yield
    found, said = _n_trained(model) - before, trained_count(part, architecture)
    if found != said:
        made = "" if part.generator is None else f", the generator `{part.generator}`"
        raise MiscountedError(
            f"the form `{part.form}`{made} and the composition `{part.composition}` at the {part.slot} slot",
            f"{found:,} parameters train at bottleneck {part.bottleneck}, and the files count {said:,}",
            "n_matrices and n_vectors of the form, n_parameters of the composition, that count what the modules have",
        )


def _n_trained(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
