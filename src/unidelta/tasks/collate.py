"""Collate features into padded batches. B batch, S source length, T target length."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from unidelta.tasks.causal import IGNORED_LABEL, collate_causal
from unidelta.tasks.features import Feature
from unidelta.tasks.task import TaskSpec

Collator: TypeAlias = Callable[[Sequence[Feature]], dict[str, Tensor]]


def collator(
    task: TaskSpec, *, model: nn.Module, tokenizer: PreTrainedTokenizerBase, pad_to_multiple_of: int
) -> Collator:
    """What pads the features of a task for one model; lengths are rounded up, as 8 suits half precision on GPUs."""
    padding: dict[str, Any] = {"pad_token_id": tokenizer.pad_token_id, "pad_to_multiple_of": pad_to_multiple_of}
    if not task.writes:
        return partial(collate_classes, **padding)
    if task.is_one_sequence:
        return partial(collate_causal, **padding)
    return partial(collate_seq2seq, **padding, decoder_inputs=model.prepare_decoder_input_ids_from_labels)


def collate_classes(features: Sequence[Feature], *, pad_token_id: int, pad_to_multiple_of: int) -> dict[str, Tensor]:
    """`input_ids`, `attention_mask` (and `token_type_ids`) of shape (B, S), `labels` of shape (B,)."""
    batch = _pad_sources(features, pad_token_id, pad_to_multiple_of)
    return {**batch, "labels": torch.tensor([feature["labels"] for feature in features])}


def collate_seq2seq(
    features: Sequence[Feature], *, pad_token_id: int, pad_to_multiple_of: int, decoder_inputs: Callable[..., Tensor]
) -> dict[str, Tensor]:
    """`input_ids`, `attention_mask` of shape (B, S); `labels`, `decoder_input_ids` of shape (B, T).

    The decoder's input is made here, by the model's own `decoder_inputs`, which shifts labels right by one: the model
    is never given the labels, and would otherwise make the decoder's input from the source.
    """
    batch = _pad_sources(features, pad_token_id, pad_to_multiple_of)
    labels = _pad([feature["labels"] for feature in features], IGNORED_LABEL, pad_to_multiple_of)
    return {**batch, "labels": labels, "decoder_input_ids": decoder_inputs(labels=labels)}


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
