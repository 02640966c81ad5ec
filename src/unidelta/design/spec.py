"""What is tuned, as plain data: one `DeltaSpec` per slot, or one of the baselines without a delta.

A `Design` says everything about the tuned parameters and nothing about data, training or seeds.
Convention-dependent details are spelt out in the fields (see `conventions`), so that two equal
designs compute the same function.
"""

from dataclasses import asdict, dataclass
from typing import Any, cast

from unidelta.design.axes import (
    Composition,
    Form,
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Representation,
    Slot,
    Source,
)

HEAD_LEVEL = (Form.PREFIX, Form.HEAD_ADAPTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaSpec:
    """One delta: a functional form, inserted at a slot, composed with the representation it changes.

    Args:
        slot: attention or FFN; the delta is put into every sub-layer of that kind, in every layer.
        form: the functional form.
        insertion: sequential (reads h) or parallel (reads x).
        composition: how Δh enters h.
        bottleneck: r of adapters and LoRA, l of prefixes: the number of tuned vectors per matrix.
        scale: s of the scaled composition, 1 otherwise.
        representation: the representation that is changed.
        source: what a parallel form reads.
        init: start of the projections (bottleneck, low rank).
        layer_norm: the delta's own layer norm.
        bias: whether the projections of a bottleneck have biases.
        dropout: probability of the form's own dropout; None takes the host's at that place, 0 for low rank.
        targets: the linear maps a low-rank form is put on, by role (query, value, key, output, up, down).
        reparameterisation: of P_k, P_v (prefix, head adapter).
        mlp_width: width of the hidden layer of that MLP.
        prefix_dropout: dropout on the MLP's output.
        scaled_query: whether the logits q P_kᵀ are divided by √d_h (prefix, head adapter).
    """

    slot: Slot
    form: Form
    insertion: Insertion
    composition: Composition
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

    @property
    def is_head_level(self) -> bool:
        """True for forms that act on single attention heads and read the query."""
        return self.form in HEAD_LEVEL

    @property
    def has_mlp(self) -> bool:
        """True where P_k, P_v come from an MLP while training."""
        return self.is_head_level and self.reparameterisation is Reparameterisation.MLP


@dataclass(frozen=True, slots=True, kw_only=True)
class Deltas:
    """Deltas in a frozen backbone: at most one part per slot.

    Args:
        parts: the deltas, attention first.
        trains_head: whether a classification head is trained too (encoder families).
    """

    parts: tuple[DeltaSpec, ...]
    trains_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FullFineTuning:
    """Every parameter of the backbone is tuned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Nothing is tuned: the pretrained backbone as it is, the floor of every comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BitFit:
    """Every bias of the backbone is tuned (Ben Zaken et al. 2021), layer norms' and the head's included.

    Args:
        trains_head: whether the classification head's weights are trained as well.
    """

    trains_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTuning:
    """Vectors in front of the encoder's input embeddings (Lester et al. 2021).

    Args:
        length: number of prompt vectors l.
    """

    length: int


Design = Deltas | FullFineTuning | BitFit | PromptTuning | Frozen


def design_to_dict(design: Design) -> dict[str, Any]:
    """The design as JSON-ready data, `kind` first, to be read back by `design_from_dict`."""
    return {"kind": _KINDS[type(design)], **_plain(asdict(design))}


def design_from_dict(data: dict[str, Any]) -> Design:
    """The design that `design_to_dict` wrote.

    Raises:
        ValueError: if the kind is missing, or the kind or a value is unknown.
        TypeError: if a field is missing or unknown.
    """
    data = dict(data)
    kind = data.pop("kind", None)
    if "parts" in data:
        data["parts"] = tuple(_part(part) for part in data["parts"])
    for design, name in _KINDS.items():
        if name == kind:
            return design(**data)
    raise ValueError(f"`{kind}` is no kind of design; known kinds are {', '.join(_KINDS.values())}.")


_KINDS: dict[type, str] = {
    Deltas: "deltas",
    FullFineTuning: "full_fine_tuning",
    BitFit: "bitfit",
    PromptTuning: "prompt_tuning",
    Frozen: "frozen",
}

_ENUMS = {
    "slot": Slot,
    "form": Form,
    "insertion": Insertion,
    "composition": Composition,
    "representation": Representation,
    "source": Source,
    "init": Init,
    "layer_norm": LayerNorm,
    "reparameterisation": Reparameterisation,
}


def _part(data: dict[str, Any]) -> DeltaSpec:
    values: dict[str, Any] = {key: _ENUMS[key](value) if key in _ENUMS else value for key, value in data.items()}
    values["targets"] = tuple(data.get("targets", ()))
    return DeltaSpec(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(list[Any], value)]
    return str(value) if isinstance(value, str) else value
