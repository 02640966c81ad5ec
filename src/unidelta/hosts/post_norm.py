"""A post-LN sub-layer with its delta: `LN(x + f)`."""

from torch import Tensor, nn

from unidelta.design.axes import Representation
from unidelta.hosts.site import Host
from unidelta.hosts.tokens import edit


def post_norm(host: Host, x: Tensor, f: Tensor, norm: nn.Module, positions_BT2: Tensor | None = None) -> Tensor:
    """`LN(x + f)`, with a delta on f, on x + f or on the result.

    Args:
        host: the host of the deltas.
        x: input of the sub-layer, `(B, T, D)`.
        f: its output after dropout, `(B, T, D)`.
        norm: the layer norm after the residual sum.
        positions_BT2: the positions of the tokens in their source, if a delta on the result edits some of them.
    """
    deltas = host.deltas
    if Representation.SUBLAYER in deltas:
        f = deltas[Representation.SUBLAYER](x, f)
    y = x + f
    if Representation.RESIDUAL in deltas:  # Pfeiffer as released: reads LN(y), changes y, then normalises again
        delta = deltas[Representation.RESIDUAL]
        z = norm(y)
        y = delta.compose(y, delta.form(z), z)
    y = norm(y)
    if Representation.LAYER in deltas:
        y = edit(host, deltas[Representation.LAYER], x, y, positions_BT2)
    return y
