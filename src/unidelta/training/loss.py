"""The training loss: cross-entropy with label smoothing, and what it is averaged over.

B batch, T target length, V vocabulary, C classes, P processes, A forward passes of one process in an optimiser step.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unidelta.hosts.tokens import SOURCE_MASK, edits_some_tokens
from unidelta.tasks.causal import prompts_of
from unidelta.tasks.collate import IGNORED_LABEL
from unidelta.training.share import Share


def logits_of(model: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """(B, T, V) for targets that are written, (B, C) for classes; no cache is kept for generation."""
    options: dict[str, object] = {}
    if "decoder_input_ids" in batch or "logits_to_keep" in batch:
        options["use_cache"] = False
    if "logits_to_keep" in batch and edits_some_tokens(model):
        options[SOURCE_MASK] = prompts_of(batch)["attention_mask"]
    return model(**batch, **options).logits


def count_tokens(batch: Mapping[str, Tensor]) -> int:
    """Tokens of sources and targets, without padding."""
    targets = (batch["labels"] != IGNORED_LABEL).sum() if "decoder_input_ids" in batch else 0
    return int(batch["attention_mask"].sum() + targets)


def summed_loss(logits: Tensor, labels: Tensor, *, smoothing: float) -> Tensor:
    """Nats, summed over all labels that are not ignored: (1−ε)·(−log p(label)) + ε·mean over V of (−log p).

    Args:
        logits: (…, V or C).
        labels: (…), one fewer dimension.
        smoothing: ε.
    """
    return F.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten(),
        ignore_index=IGNORED_LABEL,
        reduction="sum",
        label_smoothing=smoothing,
    )


def denominators(n_labels_PA: Tensor, *, share: Share, normalisation: Literal["tokens", "micro_batches"]) -> Tensor:
    """Divisors of the summed loss of each pass of this process, such that all passes add up to the step's loss; (A,).

    `tokens`: the step's loss is the mean over all its target tokens (classification: examples), in all passes.
    transformers' Trainer (5.23) does this with label smoothing, and with accumulation 1; otherwise it *adds*
    the means of the passes, because BART, RoBERTa and BERT accept the number of tokens but ignore it.
    `micro_batches`: the mean over the forward passes of each pass's mean, as in transformers of 2021, which the paper
    used. Tokens in a pass with few tokens count more.

    Args:
        n_labels_PA: number of labels in every pass of every process; 0 for a filler.
        share: this process's part.
        normalisation: which of the two.
    """
    if normalisation == "tokens":
        return n_labels_PA.sum().expand(n_labels_PA.shape[1])
    if share.of == "examples":
        return n_labels_PA.sum(0) * n_labels_PA.shape[1]
    n_passes = (n_labels_PA > 0).sum()
    return torch.clamp(n_labels_PA[share.processes.rank], min=1) * n_passes
