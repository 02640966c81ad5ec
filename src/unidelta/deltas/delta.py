"""The delta: the one equation of the paper as a module."""

from torch import Tensor, nn

from unidelta.deltas.compose import Compose, ComposeWeights
from unidelta.deltas.form_module import FormModule
from unidelta.errors import DesignError
from unidelta.extensions.origin import file_of


class Delta(nn.Module):
    """`h ← compose(h, form(x or h))` (He et al. 2022, §4.1 and Table 1).

    The same class serves every method: around a sub-layer (adapters), around one linear map (LoRA), and per
    attention head with the query as x (prefix, multi-head adapter).

    Args:
        form: the functional form, a map from its input to Δh.
        compose: how Δh enters h.
        is_parallel: True reads x, the input of the changed module; False reads h, its output.
    """

    def __init__(self, form: FormModule, compose: Compose, *, is_parallel: bool) -> None:
        super().__init__()
        self.form = form
        self.compose = compose
        self.is_parallel = is_parallel

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """The changed representation, `(..., d)`, from the sub-module's input x and the representation h.

        Raises:
            DesignError: Δh has another shape than h.
        """
        z = x if self.is_parallel else h
        delta = self.form(z)
        if delta.shape != h.shape:
            raise DesignError(
                f"Δh of the form {type(self.form).__qualname__} in {file_of(type(self.form))}",
                f"its shape is {tuple(delta.shape)}, and that of h, which it changes, {tuple(h.shape)}",
                "a forward that maps what it reads, (..., d_read), to (..., d_changed)",
            )
        return self.compose(h, delta, z)


class WeightDelta(nn.Module):
    """`W ← compose(W, M)`: the same equation with the weight of a linear map for h (DoRA, HiRA, OFT).

    Args:
        form: a linear form; M is its matrix.
        compose: how M enters W.
    """

    def __init__(self, form: FormModule, compose: ComposeWeights) -> None:
        super().__init__()
        self.form = form
        self.compose = compose

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight, `(d_out, d_in)`."""
        return self.compose(weight, self.form.matrix())
