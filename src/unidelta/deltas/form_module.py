"""Base class of the torch module of every functional form."""

from torch import Tensor, nn


class TrainingOnly(nn.Module):
    """A network that is used only in training; `FormModule.fold` replaces it."""


class FormModule(nn.Module):
    """A functional form: maps its input to Δh. A subclass needs `forward`; everything else has a default."""

    no_decay: tuple[str, ...] = ()
    """Its parameters without weight decay, beside biases: those that change nothing at another value than 0."""

    is_linear = False
    """Whether Δh = z Mᵀ + b in evaluation, so that it can be merged into a linear map."""

    def matrix(self) -> Tensor:
        """M of a linear form, `(d_changed, d_read)`; or its diagonal, `(d,)`."""
        raise NotImplementedError

    def vector(self) -> Tensor | None:
        """b of a linear form, `(d_changed,)`; None if there is none."""
        return None

    def fold(self) -> None:
        """Replace a `TrainingOnly` network by its output; apart from dropout, Δh does not change."""

    def stored(self) -> dict[str, Tensor]:
        """The tensors that inference needs beside persistent buffers, by their names after `fold`."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()}
