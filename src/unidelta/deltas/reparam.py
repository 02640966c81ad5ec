"""The vectors P_k, P_v of a prefix: free parameters, or the output of an MLP while training.

Shapes: L prefix length, D model width, M width of the MLP's hidden layer, K and V widths of a layer's keys and values.
"""

from collections.abc import Mapping
from itertools import accumulate

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from unidelta.deltas.form_module import TrainingOnly
from unidelta.deltas.init import empty_linear, init_linear


class PrefixVectors(nn.Module):
    """What gives the P_k `(L, K)` and P_v `(L, V)` of one attention; a subclass needs `forward`."""

    def fold(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v without dropout, for inference."""
        return self()

    def stored(self) -> dict[str, Tensor]:
        """The tensors that inference needs, by name."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()}


class DirectPrefix(PrefixVectors):
    """P_k `(L, K)` and P_v `(L, V)` of one attention as parameters, on the device of the given vectors.

    Args:
        key: P_k at the start.
        value: P_v at the start.
    """

    def __init__(self, key: Tensor, value: Tensor) -> None:
        super().__init__()
        self.key, self.value = nn.Parameter(key.detach().clone()), nn.Parameter(value.detach().clone())

    @classmethod
    def drawn(cls, length: int, widths: tuple[int, int], *, generator: Generator) -> "DirectPrefix":
        """L vectors of widths K and V from N(0, 0.02²)."""
        key, value = (nn.init.normal_(torch.empty(length, n), std=0.02, generator=generator) for n in widths)
        return cls(key, value)

    def forward(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v."""
        return self.key, self.value


class PrefixMLP(TrainingOnly):
    """`P = Linear(tanh(Linear(E)))` for all layers of one kind of attention (Li & Liang 2021, §4.3).

    Used in training only: its output is folded into `DirectPrefix` for inference. With given initial vectors,
    `P = P₀ + Linear(tanh(Linear(E)))` with the last map initially 0: the network then learns the difference.

    Args:
        length: L.
        width: D, of E.
        mlp_width: M.
        widths: K and V of every layer, by the layer's index; the output has a layer's key, then its value, side by side
            in the order of this mapping.
        dropout: probability on the output.
        generator: the source of randomness: E from N(0, 1), the linear maps U(±1/√fan_in).
        start: P₀ `(L, sum of widths)`, or None.
    """

    def __init__(
        self,
        length: int,
        width: int,
        mlp_width: int,
        widths: Mapping[int, tuple[int, int]],
        *,
        dropout: float,
        generator: Generator,
        start: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.start: Tensor | None
        ends = list(accumulate(sum(pair) for pair in widths.values()))
        self.rows = {
            layer: (end - sum(pair), end - pair[1], end)
            for (layer, pair), end in zip(widths.items(), ends, strict=True)
        }
        """The offsets where a layer's key begins, its value begins, and both end."""
        self.embedding = nn.Parameter(nn.init.normal_(torch.empty(length, width), generator=generator))
        self.hidden = empty_linear(width, mlp_width, bias=True)
        self.output = empty_linear(mlp_width, ends[-1], bias=True)
        init_linear(self.hidden, generator)
        init_linear(self.output, generator)
        if start is not None:
            nn.init.zeros_(self.output.weight)
            nn.init.zeros_(self.output.bias)
        self.register_buffer("start", start)
        self.dropout = dropout

    def forward(self, layer: int) -> tuple[Tensor, Tensor]:
        """P_k `(L, K)` and P_v `(L, V)` of one layer, from the layer's own rows of the last map."""
        return self.dropped(*self.fold(layer))

    def dropped(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """P_k, P_v of one layer after dropout."""
        return F.dropout(key, self.dropout, self.training), F.dropout(value, self.dropout, self.training)

    def fold(self, layer: int) -> tuple[Tensor, Tensor]:
        """Like `forward`, without dropout, for inference."""
        begin, middle, end = self.rows[layer]
        z_LM = torch.tanh(self.hidden(self.embedding))
        p = F.linear(z_LM, self.output.weight[begin:end], self.output.bias[begin:end])
        if self.start is not None:
            p = p + self.start[:, begin:end]
        return p[:, : middle - begin], p[:, middle - begin :]


class ReparametrisedPrefix(PrefixVectors):
    """P_k and P_v of one attention as a view of its kind's `PrefixMLP`; has no parameters of its own.

    Args:
        mlp: the network, registered elsewhere in the model.
        layer: which layer's rows.
    """

    def __init__(self, mlp: PrefixMLP, layer: int) -> None:
        super().__init__()
        self._mlp = (mlp,)  # in a tuple, so that the network's parameters are registered only once, elsewhere
        self.layer = layer

    @property
    def mlp(self) -> PrefixMLP:
        """The network."""
        return self._mlp[0]

    def forward(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v."""
        return self.mlp(self.layer)

    def fold(self) -> tuple[Tensor, Tensor]:
        """P_k, P_v without dropout, for inference."""
        return self.mlp.fold(self.layer)

    def stored(self) -> dict[str, Tensor]:
        """P_k, P_v, as a `DirectPrefix` has them."""
        key, value = self.fold()
        return {"key": key.detach(), "value": value.detach()}
