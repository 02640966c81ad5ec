"""A post-LN sub-layer with its delta: `LN(x + f)`."""

from collections.abc import Mapping

from torch import Tensor, nn

from unidelta.design.axes import Representation


def post_norm(deltas: Mapping[str, nn.Module], x: Tensor, f: Tensor, norm: nn.Module) -> Tensor:
    """`LN(x + f)`, with a delta on f, on x + f or on the result.

    Args:
        deltas: the delta by the representation it changes.
        x: input of the sub-layer, `(B, T, D)`.
        f: its output after dropout, `(B, T, D)`.
        norm: the layer norm after the residual sum.
    """
    if Representation.SUBLAYER in deltas:
        f = deltas[Representation.SUBLAYER](x, f)
    y = x + f
    if Representation.RESIDUAL in deltas:  # Pfeiffer as released: reads LN(y), changes y, then normalises again
        delta = deltas[Representation.RESIDUAL]
        z = norm(y)
        y = delta.compose(y, delta.form(z), z)
    y = norm(y)
    if Representation.LAYER in deltas:
        y = deltas[Representation.LAYER](x, y)
    return y
