"""What the torch module of every functional form is."""

from torch import Tensor, nn


class TrainingOnly(nn.Module):
    """A network that only training needs: `FormModule.fold` makes it superfluous."""


class FormModule(nn.Module):
    """A functional form: maps what it reads to Δh. A subclass needs `forward`; all else has a default."""

    is_linear = False
    """Whether Δh = z Mᵀ in evaluation, so that it can be merged into a linear map."""

    def matrix(self) -> Tensor:
        """M of a linear form, `(d_changed, d_read)`; or its diagonal, `(d,)`."""
        raise NotImplementedError

    def fold(self) -> None:
        """Keep what a `TrainingOnly` network makes in its place; Δh stays what it is without dropout."""

    def stored(self) -> dict[str, Tensor]:
        """What inference needs, by the names that it has after `fold`."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()}
