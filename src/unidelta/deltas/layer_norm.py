"""The delta's own layer norm: on its input or on its output."""

from torch import nn

from unidelta.design.axes import LayerNorm
from unidelta.design.site import Place
from unidelta.design.spec import DeltaSpec


def layer_norm(spec: DeltaSpec, on: LayerNorm, width: int) -> nn.LayerNorm | None:
    """A layer norm if the spec has one there, else None."""
    return nn.LayerNorm(width) if spec.layer_norm is on else None


def out_norm(spec: DeltaSpec, place: Place) -> nn.LayerNorm | None:
    """The layer norm on the delta's output, if there is one."""
    return layer_norm(spec, LayerNorm.OUT, place.d_changed)
