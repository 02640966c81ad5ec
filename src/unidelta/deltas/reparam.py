"""The vectors P_k, P_v of a prefix: free parameters, or the output of an MLP while training.

Shapes: L prefix length, M width of the MLP's hidden layer, D model width.
"""

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.init import empty_linear, init_linear

Prefixes = Mapping["PrefixMLP", Tensor]
"""What each network made in one forward of the model, `(n_layers, 2, L, D)` (`PrefixMLP.every_layer`)."""


class DirectPrefix(nn.Module):
    """P_k and P_v of one attention as parameters, each `(L, D)`, from N(0, 0.02²) or from given vectors.

    Args:
        length: L.
        width: D.
        generator: the source of randomness of the initialisation.
        start: P_k, P_v to start from, each `(L, D)`; None draws them.
    """

    def __init__(
        self, length: int, width: int, *, generator: Generator, start: tuple[Tensor, Tensor] | None = None
    ) -> None:
        super().__init__()
        if start is None:
            key = nn.init.normal_(torch.empty(length, width), std=0.02, generator=generator)
            value = nn.init.normal_(torch.empty(length, width), std=0.02, generator=generator)
            start = key, value
        self.key, self.value = nn.Parameter(start[0].clone()), nn.Parameter(start[1].clone())

    def forward(self, prefixes: Prefixes | None = None) -> tuple[Tensor, Tensor]:
        """P_k, P_v."""
        return self.key, self.value

    def fold(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v: kept as they are."""
        return self.key, self.value


class PrefixMLP(nn.Module):
    """`P = Linear(tanh(Linear(E)))` for all layers of one kind of attention (Li & Liang 2021, §4.3).

    Kept for training only: what it computes is folded into `DirectPrefix` for inference. Given vectors to start
    from, `P = P₀ + Linear(tanh(Linear(E)))` with the last map 0 at first: the network then learns the difference.

    Args:
        length: L.
        width: D.
        mlp_width: M.
        n_layers: number of layers; the output has 2·n_layers·D columns, key and value of layer i at rows
            2i and 2i+1 of D.
        dropout: probability on the output.
        generator: the source of randomness: E from N(0, 1), the linear maps U(±1/√fan_in).
        start: P₀ `(L, 2·n_layers·D)`, or None for none.
    """

    def __init__(
        self,
        length: int,
        width: int,
        mlp_width: int,
        n_layers: int,
        *,
        dropout: float,
        generator: Generator,
        start: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.start: Tensor | None
        self.embedding = nn.Parameter(nn.init.normal_(torch.empty(length, width), generator=generator))
        self.hidden = empty_linear(width, mlp_width, bias=True)
        self.output = empty_linear(mlp_width, 2 * n_layers * width, bias=True)
        init_linear(self.hidden, generator)
        init_linear(self.output, generator)
        if start is not None:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)
        self.register_buffer("start", start)
        self.width = width
        self.dropout = dropout

    def every_layer(self) -> Tensor:
        """P_k, P_v of all layers, `(n_layers, 2, L, D)`: one pass for a whole forward of the model."""
        p_LN = self.output(torch.tanh(self.hidden(self.embedding)))
        if self.start is not None:
            p_LN = p_LN + self.start
        p_LN = F.dropout(p_LN, self.dropout, self.training)
        return p_LN.reshape(p_LN.shape[0], -1, 2, self.width).permute(1, 2, 0, 3)

    def forward(self, layer: int) -> tuple[Tensor, Tensor]:
        """P_k, P_v of one layer, each `(L, D)`, by the layer's own rows of the last map.

        Layers that are run on their own (gradient checkpointing) share no state this way. The gradient of a row is
        a matrix of zeros but for that row, so `every_layer` is several times as fast.
        """
        key_LD, value_LD = self.fold(layer)
        return F.dropout(key_LD, self.dropout, self.training), F.dropout(value_LD, self.dropout, self.training)

    def fold(self, layer: int) -> tuple[Tensor, Tensor]:
        """As `forward`, without dropout: what is kept for inference."""
        z_LM = torch.tanh(self.hidden(self.embedding))
        rows = slice(2 * layer * self.width, (2 * layer + 2) * self.width)
        p_L2D = F.linear(z_LM, self.output.weight[rows], self.output.bias[rows])
        if self.start is not None:
            p_L2D = p_L2D + self.start[:, rows]
        return p_L2D[:, : self.width], p_L2D[:, self.width :]


class ReparametrisedPrefix(nn.Module):
    """P_k and P_v of one attention as a view of its kind's `PrefixMLP`; it has no parameters of its own.

    Args:
        mlp: the network, registered elsewhere in the model.
        layer: which layer's rows.
    """

    def __init__(self, mlp: PrefixMLP, layer: int) -> None:
        super().__init__()
        self._mlp = (mlp,)  # in a tuple: the network's parameters are named where it is registered, once
        self.layer = layer

    def forward(self, prefixes: Prefixes | None = None) -> tuple[Tensor, Tensor]:
        """P_k, P_v, each `(L, D)`, out of `prefixes` if they were made for all layers."""
        (mlp,) = self._mlp
        if prefixes is None:
            return mlp(self.layer)
        key_LD, value_LD = prefixes[mlp][self.layer]
        return key_LD, value_LD

    def fold(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v without dropout: what is kept for inference."""
        return self._mlp[0].fold(self.layer)
