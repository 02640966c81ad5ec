"""Collate features into padded batches. B batch, S source length, T target length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from unidelta.tasks.causal import IGNORED_LABEL, CausalCollator
from unidelta.tasks.features import Feature
from unidelta.tasks.task import TaskSpec

Collator: TypeAlias = Callable[[Sequence[Feature]], dict[str, Tensor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationCollator:
    """Pads sentences to the longest of the batch, rounded up to a multiple.

    Args:
        pad_token_id: the tokenizer's padding token.
        pad_to_multiple_of: 1 for none; 8 suits half precision on GPUs.
    """

    pad_token_id: int
    pad_to_multiple_of: int

    def __call__(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` (and `token_type_ids`) of shape (B, S), `labels` of shape (B,)."""
        batch = _pad_sources(features, self.pad_token_id, self.pad_to_multiple_of)
        return {**batch, "labels": torch.tensor([feature["labels"] for feature in features])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seq2SeqCollator:
    """Pads sources and targets, and makes the decoder's input from the labels.

    The decoder's input is part of the batch because the model is never given the labels: it would otherwise make the
    decoder's input from the source.

    Args:
        pad_token_id: the tokenizer's padding token.
        pad_to_multiple_of: 1 for none; 8 suits half precision on GPUs.
        decoder_inputs: the model's `prepare_decoder_input_ids_from_labels`, which shifts labels right by one.
    """

    pad_token_id: int
    pad_to_multiple_of: int
    decoder_inputs: Callable[..., Tensor]

    def __call__(self, features: Sequence[Feature]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` of shape (B, S); `labels`, `decoder_input_ids` of shape (B, T)."""
        batch = _pad_sources(features, self.pad_token_id, self.pad_to_multiple_of)
        labels = _pad([feature["labels"] for feature in features], IGNORED_LABEL, self.pad_to_multiple_of)
        return {**batch, "labels": labels, "decoder_input_ids": self.decoder_inputs(labels=labels)}


def collator(
    task: TaskSpec, *, model: nn.Module, tokenizer: PreTrainedTokenizerBase, pad_to_multiple_of: int
) -> Collator:
    """The collator of a task for one model."""
    padding: dict[str, Any] = {
        "pad_token_id": tokenizer.pad_token_id,
        "pad_to_multiple_of": pad_to_multiple_of,
    }
    if not task.writes:
        return ClassificationCollator(**padding)
    if task.is_one_sequence:
        return CausalCollator(**padding)
    shift = cast(Callable[..., Tensor], model.prepare_decoder_input_ids_from_labels)
    return Seq2SeqCollator(**padding, decoder_inputs=shift)


def _pad_sources(features: Sequence[Feature], pad_token_id: int, multiple: int) -> dict[str, Tensor]:
    sources = [feature["input_ids"] for feature in features]
    batch = {
        "input_ids": _pad(sources, pad_token_id, multiple),
        "attention_mask": _pad([np.ones_like(ids) for ids in sources], 0, multiple),
    }
    if "token_type_ids" in features[0]:
        # Type 0 for padding, which the attention mask hides anyway.
        batch["token_type_ids"] = _pad([feature["token_type_ids"] for feature in features], 0, multiple)
    return batch


def _pad(rows: Sequence[np.ndarray], filler: int, multiple: int) -> Tensor:
    """A (B, L) tensor of `rows`, padded right with `filler`; L is the longest length, rounded up to a `multiple`."""
    length = -(-max(map(len, rows)) // multiple) * multiple
    padded = np.full((len(rows), length), filler, dtype=np.int64)
    for padded_row, row in zip(padded, rows, strict=True):
        padded_row[: len(row)] = row
    return torch.from_numpy(padded)
