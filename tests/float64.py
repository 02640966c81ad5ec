"""Float64 that stays float64."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional


@contextmanager
def kept_float64() -> Iterator[None]:
    """Stock code computes norms, and eager's softmax, in float32 whatever it is given: not within this context."""
    to, to_float, softmax = Tensor.to, Tensor.float, functional.softmax

    def is_down(tensor: Tensor, asked: object) -> bool:
        return tensor.dtype is torch.float64 and asked is torch.float32

    def own_softmax(tensor: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
        return softmax(tensor, dim=dim, dtype=None if is_down(tensor, dtype) else dtype)

    Tensor.to = lambda t, *a, **k: t if a and is_down(t, a[0]) else to(t, *a, **k)
    Tensor.float = lambda t: t if t.dtype is torch.float64 else to_float(t)
    functional.softmax = own_softmax
    try:
        yield
    finally:
        Tensor.to, Tensor.float, functional.softmax = to, to_float, softmax
