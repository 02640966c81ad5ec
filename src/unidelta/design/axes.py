"""The closed sets along which the methods differ (He et al. 2022, Table 1 and §3.3).

Every value is the word a user types. Functional forms, compositions and architectures are open sets: each is one file
in `forms/`, `compositions/` and `families/`, or in a user's package.
"""

from enum import StrEnum


class Slot(StrEnum):
    """Where in a Transformer layer a delta sits: the *position* of §4.4."""

    ATTN = "attn"
    FFN = "ffn"


class Insertion(StrEnum):
    """Whether the form reads the sub-layer's output h (sequential) or its input x (parallel)."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class Representation(StrEnum):
    """The modified representation (Table 1, third column), in the detail that the code needs."""

    HEADS = "heads"  # the output of each attention head
    CONCAT = "concat"  # the concatenated heads, before the output projection W_o
    SUBLAYER = "sublayer"  # the output of the attention or FFN sub-layer
    RESIDUAL = "residual"  # x + FFN(x), read through the layer norm that follows it (Pfeiffer, post-LN)
    LAYER = "layer"  # the output of the layer, after the FFN's add & norm (Pfeiffer)
    LINEAR = "linear"  # what linear maps inside the sub-layer compute (LoRA), or the FFN's inner activation (IA³)
    INPUT = "input"  # what linear maps inside the sub-layer read, turned by a factor of their weight (OFT: W R)


class Source(StrEnum):
    """What a parallel form reads: the sub-layer's input, or the residual stream before its layer norm.

    The two are one tensor in post-LN models (BART, RoBERTa, BERT) and differ in pre-LN ones (mBART, Llama).
    """

    SUBLAYER_INPUT = "sublayer_input"  # LN(x), as the frozen FFN and the equation of the paper
    RESIDUAL_STREAM = "residual_stream"  # x itself, as the authors' code for mBART


class Rotation(StrEnum):
    """Where P_k joins the keys of attention with rotary positions."""

    AFTER = "after"  # P_k are keys that are not rotated: no place in the text (LLaMA-Adapter, Zhang et al. 2023)
    BEFORE = "before"  # P_k are rotated like keys of l tokens in front of the text (RoFormer, Su et al. 2024)


class TextStart(StrEnum):
    """The position of the first token beside a prefix of l vectors."""

    ZERO = "zero"  # 0, as without a prefix (He et al. 2022, the code for BART)
    LENGTH = "length"  # l, behind the prefix (Li & Liang 2021 on GPT-2; peft's prefix tuning)


class Init(StrEnum):
    """How a form starts; each form lists those it can have (`Form.inits`)."""

    BERT = "bert"  # both N(0, 0.02²), biases 0
    LORA = "lora"  # down Kaiming-uniform(√5), up 0, biases 0: Δh = 0 at the start
    ACTIVATIONS = "activations"  # prefixes: keys and values of real tokens in the frozen backbone (Li & Liang §7.4)
    ONES = "ones"  # a diagonal: factors of 1, so Δh = 0 at the start
    PISSA = "pissa"  # LoRA: the largest singular triples of the frozen W, which are subtracted: Δh = 0 at the start
    IDENTITY = "identity"  # a rotation: R = 1, so W R = W at the start
    ORTHOGONAL = "orthogonal"  # LoReFT: R random with orthonormal rows, A and b as in torch's linear maps
    TIED = "tied"  # LoReFT: A = R and b = 0, so Δh = 0 at the start


class LayerNorm(StrEnum):
    """An extra trained layer norm of the delta: on its input, on its output, or none."""

    NONE = "none"
    IN = "in"
    OUT = "out"


class Reparameterisation(StrEnum):
    """How the prefix vectors P_k, P_v are parameterised in training (Li & Liang 2021)."""

    MLP = "mlp"  # P = MLP(E), one network per kind of attention; dropped after training
    DIRECT = "direct"  # P itself


class Conventions(StrEnum):
    """Which source is followed where the authors' released code and the paper's text differ."""

    RELEASED = "released"
    PAPER = "paper"
