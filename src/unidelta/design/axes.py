"""The closed sets along which the methods differ (He et al. 2022, Table 1 and §3.3).

Every value is the word a user types. The paper's four dimensions are `Form`, `Insertion`,
`Representation` (fixed by slot and convention) and `Composition`; the rest are the details that
decide a number but not a method.
"""

from enum import StrEnum


class Slot(StrEnum):
    """Where in a Transformer layer a delta sits: the *position* of §4.4."""

    ATTN = "attn"
    FFN = "ffn"


class Form(StrEnum):
    """The functional form of the change Δh (Table 1, first column)."""

    BOTTLENECK = "bottleneck"  # ReLU(z W_down) W_up
    LOW_RANK = "low_rank"  # z W_down W_up
    PREFIX = "prefix"  # softmax(q P_kᵀ) P_v, per head
    HEAD_ADAPTER = "head_adapter"  # ReLU(q P_kᵀ) P_v, per head


class Insertion(StrEnum):
    """Whether the form reads the sub-layer's output h (sequential) or its input x (parallel)."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class Composition(StrEnum):
    """How Δh enters h (Table 1, last column)."""

    ADDITIVE = "additive"  # h + Δh
    SCALED = "scaled"  # h + s Δh, s fixed
    LEARNED_SCALE = "learned_scale"  # h + s Δh, s one trained scalar per delta, from 1
    GATED = "gated"  # (1 − λ) h + λ Δh, λ from the softmax normalisers (Eq. 7–10)


class Representation(StrEnum):
    """The modified representation (Table 1, third column), as exactly as the code needs it."""

    HEADS = "heads"  # the output of each attention head
    CONCAT = "concat"  # the concatenated heads, before the output projection W_o
    SUBLAYER = "sublayer"  # the output of the attention or FFN sub-layer
    RESIDUAL = "residual"  # x + FFN(x), read through the layer norm that follows it (Pfeiffer, post-LN)
    LAYER = "layer"  # the output of the layer, after the FFN's add & norm (Pfeiffer)
    LINEAR = "linear"  # the output of linear maps inside the sub-layer (LoRA)


class Source(StrEnum):
    """What a parallel form reads: the sub-layer's input, or the residual stream before its layer norm.

    The two are one tensor in post-LN models (BART, RoBERTa, BERT) and differ in pre-LN ones (mBART).
    """

    SUBLAYER_INPUT = "sublayer_input"
    RESIDUAL_STREAM = "residual_stream"


class Init(StrEnum):
    """How a form starts: the projections of adapters and LoRA, the vectors P_k, P_v of prefixes."""

    BERT = "bert"  # both N(0, 0.02²), biases 0
    LORA = "lora"  # down Kaiming-uniform(√5), up 0, biases 0: Δh = 0 at the start
    ACTIVATIONS = "activations"  # prefixes: keys and values of real tokens in the frozen backbone (Li & Liang §7.4)


class LayerNorm(StrEnum):
    """An extra trained layer norm of the delta: on what it reads, on what it adds, or none."""

    NONE = "none"
    IN = "in"
    OUT = "out"


class Reparameterisation(StrEnum):
    """How the prefix vectors P_k, P_v are parameterised while training (Li & Liang 2021)."""

    MLP = "mlp"  # P = MLP(E), one network per kind of attention; dropped after training
    DIRECT = "direct"  # P itself


class Conventions(StrEnum):
    """Which source decides where the authors' released code and the paper's text differ."""

    RELEASED = "released"
    PAPER = "paper"


class Family(StrEnum):
    """The architectures that deltas can be put into."""

    BART = "bart"
    MBART = "mbart"
    ROBERTA = "roberta"
    BERT = "bert"

    @property
    def is_encoder_decoder(self) -> bool:
        """True for the sequence-to-sequence families."""
        return self in (Family.BART, Family.MBART)

    @property
    def is_pre_norm(self) -> bool:
        """True where the layer norm precedes the sub-layer: x + Sub(LN(x))."""
        return self is Family.MBART
