"""How a backbone is loaded for a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What a run decides about its backbone apart from the weights.

    Args:
        seed: of a new classification head; everything else is pretrained.
        n_labels: outputs of the classification head; 0 for models without one.
        attn_implementation: sdpa or eager.
        dropout: hidden dropout instead of the checkpoint's, or None.
        attention_dropout: attention dropout instead of the checkpoint's, or None.
    """

    seed: int
    n_labels: int = 0
    attn_implementation: str = "sdpa"
    dropout: float | None = None
    attention_dropout: float | None = None
