"""Batches of a decoder-only model: prompts that end in one column, targets after it.

B batch, S prompt length, T target length. Prompts are padded left and targets right, so that every target begins in
column S; generation continues from the same S columns. Each example is a row of its own: nothing is packed.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from unidelta.tasks.features import Feature

IGNORED_LABEL = -100
"""The label that the loss ignores: padding."""


def collate_causal(features: Sequence[Feature], *, pad_token_id: int, pad_to_multiple_of: int) -> dict[str, Tensor]:
    """`input_ids`, `attention_mask`, `position_ids` of shape (B, S + T), `labels` of shape (B, T).

    Only targets have labels. S and T are rounded up, each by itself; `logits_to_keep` (T,) are the columns whose logits
    predict the labels.
    """
    prompts, targets = ([feature[name] for feature in features] for name in ("input_ids", "labels"))
    n_prompt, n_target = (
        -(-max(map(len, rows)) // pad_to_multiple_of) * pad_to_multiple_of for rows in (prompts, targets)
    )
    ids = np.full((len(features), n_prompt + n_target), pad_token_id, dtype=np.int64)
    mask, labels = np.zeros_like(ids), np.full((len(features), n_target), IGNORED_LABEL, dtype=np.int64)
    for i, (prompt, target) in enumerate(zip(prompts, targets, strict=True)):
        begin, end = n_prompt - len(prompt), n_prompt + len(target)
        ids[i, begin:n_prompt], ids[i, n_prompt:end] = prompt, target
        mask[i, begin:end] = 1
        labels[i, : len(target)] = target
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "position_ids": torch.from_numpy((mask.cumsum(1) - 1).clip(min=0)),
        "labels": torch.from_numpy(labels),
        "logits_to_keep": torch.arange(n_prompt - 1, n_prompt + n_target - 1),
    }


def prompts_of(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask` (B, S) of a batch, to generate from."""
    n_prompt = int(batch["logits_to_keep"][0]) + 1
    return {name: batch[name][:, :n_prompt] for name in ("input_ids", "attention_mask")}
