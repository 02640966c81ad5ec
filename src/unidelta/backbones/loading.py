"""How a backbone is loaded for a run, and what came of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """What a run decides about its backbone apart from the weights.

    Args:
        seed: of a new classification head; everything else is pretrained.
        n_labels: outputs of the classification head; 0 for models without one.
        labels: names of the task's classes in their order, to which an inherited head is put in order.
        head: `new` draws a head from the seed where the checkpoint has one, `auto` does where it has none that fits.
        attn_implementation: sdpa or eager.
        dropout: hidden dropout instead of the checkpoint's, or None.
        attention_dropout: attention dropout instead of the checkpoint's, or None.
        quantised: none, 8bit or 4bit: what linear weights are stored in.
        arithmetic: the dtype of products with quantised weights, as torch names it.
    """

    seed: int
    n_labels: int = 0
    labels: tuple[str, ...] = ()
    head: Literal["auto", "new"] = "auto"
    attn_implementation: str = "sdpa"
    dropout: float | None = None
    attention_dropout: float | None = None
    quantised: str = "none"
    arithmetic: str = "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBackbone:
    """A backbone in float32 and eval mode, and what of it no checkpoint had.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        new: names of the parameters that the checkpoint lacks; they are drawn from the seed.
        inherited: how the checkpoint's own classification head is used, in words; None for a new head, or without one.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    new: tuple[str, ...] = ()
    inherited: str | None = None
