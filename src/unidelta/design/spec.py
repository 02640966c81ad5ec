"""What is trained, as plain data: one `DeltaSpec` per slot, or one of the baselines without a delta.

A `Design` describes the trained parameters completely, and nothing about data, training or seeds.
Details that differ by convention are spelt out in the fields (see `Form.released` and `Form.paper`), so that two equal
designs compute the same function.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import get_type_hints

from unidelta.design.axes import (
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Representation,
    Rotation,
    Slot,
    Source,
    TextStart,
)
from unidelta.design.layers import canonical as canonical_layers
from unidelta.design.tokens import ALL
from unidelta.design.tokens import canonical as canonical_tokens
from unidelta.errors import DesignError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaSpec:
    """One delta: a functional form, inserted at a slot, composed with the representation it changes.

    Args:
        slot: attention or FFN; the delta is in every sub-layer of that kind, in the layers selected.
        form: name of the functional form.
        insertion: sequential (reads h) or parallel (reads x).
        composition: name of the composition: how Δh enters h.
        bottleneck: r of adapters and LoRA, l of prefixes: the number of tuned vectors per matrix; 0 for a form
            without one.
        representation: the representation that is changed.
        scale: s of the scaled composition, 1 otherwise.
        source: what a parallel form reads.
        init: the initialisation of the form.
        layer_norm: the delta's own layer norm.
        bias: whether the projections of a bottleneck have biases.
        dropout: probability of the form's own dropout; None uses the host's at that place, 0 for low rank.
        targets: for a form on linear maps, the maps by role (query, value, up, …), or `inner`, the FFN's inner
            activation.
        reparameterisation: of P_k, P_v (prefix, head adapter).
        mlp_width: width of the hidden layer of that MLP.
        prefix_dropout: dropout on the MLP's output.
        scaled_query: whether the logits q P_kᵀ are divided by √d_h (prefix, head adapter).
        options: the form's and the generator's own keys and their values (`Form.options`, `Generator.options`).
        generator: name of what makes the form's matrices from fewer parameters; None: they are parameters.
        layers: the layers of each stack that have the delta (`design.layers`).
        rotation: whether P_k joins the keys after or before their rotation, in models with rotary positions.
        text_start: the position of the first token beside a prefix.
        tokens: the tokens of the source that are edited (`design.tokens`).

    Raises:
        DesignError: an axis has no such value, a bottleneck is not a whole number, or layers or tokens cannot be read.
    """

    slot: Slot
    form: str
    insertion: Insertion
    composition: str
    bottleneck: int
    representation: Representation
    scale: float = 1.0
    source: Source = Source.SUBLAYER_INPUT
    init: Init = Init.BERT
    layer_norm: LayerNorm = LayerNorm.NONE
    bias: bool = True
    dropout: float | None = None
    targets: tuple[str, ...] = ()
    reparameterisation: Reparameterisation = Reparameterisation.DIRECT
    mlp_width: int = 800
    prefix_dropout: float = 0.0
    scaled_query: bool = True
    options: tuple[tuple[str, int | float | str | bool], ...] = ()
    generator: str | None = None
    layers: str = "all"
    rotation: Rotation = Rotation.AFTER
    text_start: TextStart = TextStart.ZERO
    tokens: str = ALL

    def __post_init__(self) -> None:
        """Axes may be given by name: `dataclasses.replace(part, insertion="parallel", layers=[0, 2])`."""
        for name, axis in _AXES.items():
            value = getattr(self, name)
            if value not in tuple(axis):
                choices = " or ".join(f'{name}="{choice}"' for choice in axis)
                raise DesignError(f"{name}={value!r}", f"the choices are {', '.join(axis)}", choices)
            object.__setattr__(self, name, axis(value))
        if type(self.bottleneck) is not int:
            raise DesignError(f"bottleneck={self.bottleneck!r}", "a bottleneck is a whole number", "bottleneck=30")
        for name, canonical, example in (
            ("layers", canonical_layers, 'layers="first:4", or layers=[0, 2]'),
            ("tokens", canonical_tokens, 'tokens="first:4+last:4"'),
        ):
            value = canonical(getattr(self, name))
            if value is None:
                raise DesignError(f"{name}={getattr(self, name)!r}", f"that is not a choice of {name}", example)
            object.__setattr__(self, name, value)


_AXES: dict[str, type[StrEnum]] = {
    name: hint
    for name, hint in get_type_hints(DeltaSpec).items()
    if isinstance(hint, type) and issubclass(hint, StrEnum)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deltas:
    """Deltas in a frozen backbone: one at each place, and a second one where a method has `attn_also` or `ffn_also`.

    Args:
        parts: the deltas, attention first.
        trains_head: whether a classification head is trained too.
    """

    parts: tuple[DeltaSpec, ...]
    trains_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FullFineTuning:
    """Every parameter of the backbone is trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Nothing is trained: the pretrained backbone, the floor of every comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProbe:
    """The classification head alone is trained, on a frozen backbone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BitFit:
    """Every bias of the backbone is trained (Ben Zaken et al. 2021), including those of layer norms and the head.

    Args:
        trains_head: whether the classification head's weights are trained as well.
    """

    trains_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTuning:
    """Vectors in front of the input embeddings of an encoder, or of a decoder alone (Lester et al. 2021).

    Args:
        length: number of prompt vectors l.
        trains_head: whether the classification head is trained as well.
    """

    length: int
    trains_head: bool = False


def parts_of(design: "Design") -> tuple[DeltaSpec, ...]:
    """The deltas of a design; of one without deltas none."""
    return design.parts if isinstance(design, Deltas) else ()


def positions_before_text(design: "Design", *, is_decoder: bool) -> int:
    """How many positions text loses: l with `text_start=length` or a prompt in a decoder alone, else 0."""
    if isinstance(design, PromptTuning):
        return design.length if is_decoder else 0
    return max((part.bottleneck for part in parts_of(design) if part.text_start is TextStart.LENGTH), default=0)


Design = Deltas | FullFineTuning | BitFit | PromptTuning | LinearProbe | Frozen
