"""Rows to token ids, with everything that was cut off counted.

A feature holds `input_ids` and `labels` (for classification `token_type_ids` too, where the tokenizer has them)
as 32-bit arrays:
XSum's training split is 0.3 GB this way and 3 GB as Python lists. Attention masks are made when batches are
padded, because an unpadded example attends to all of itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from transformers import MBartTokenizer, PreTrainedConfig, PreTrainedTokenizerBase

from unidelta.errors import ConfigError, DataError
from unidelta.tasks.registry import task_kind
from unidelta.tasks.sources import Rows
from unidelta.tasks.task import Row, TaskKind, TaskSpec

Feature: TypeAlias = dict[str, Any]

# Rows tokenised at a time: bounds the memory of ids that are not arrays yet.
_CHUNK = 1000
# RoBERTa's positions start after the padding index: 514 embeddings hold 512 tokens.
_OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits:
    """What a model can take: token ids below `vocab_size`, sequences of up to `n_positions` tokens."""

    vocab_size: int
    n_positions: int

    @classmethod
    def of(cls, config: PreTrainedConfig) -> "ModelLimits":
        """The limits a model's configuration states."""
        n_positions = config.max_position_embeddings
        if config.model_type in _OFFSET_POSITIONS:
            n_positions -= config.pad_token_id + 1
        return cls(vocab_size=config.vocab_size, n_positions=n_positions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A split as token ids.

    Args:
        features: one per row, in the rows' order.
        n_truncated_sources: rows whose source was cut.
        n_truncated_targets: rows whose target was cut; 0 for classification.
    """

    features: list[Feature]
    n_truncated_sources: int
    n_truncated_targets: int

    def __len__(self) -> int:
        return len(self.features)


def encode(
    rows: Rows,
    *,
    spec: TaskSpec,
    tokenizer: PreTrainedTokenizerBase,
    limits: ModelLimits,
    for_training: bool,
) -> Encoded:
    """Token ids of `rows`.

    Args:
        rows: rows of the task.
        spec: the task; its lengths and languages are used.
        tokenizer: the backbone's tokenizer; mBART's is set to the task's languages, and stays so.
        limits: what the model can take.
        for_training: whether targets are cut at `max_target_length` or at `eval_max_target_length`.

    Raises:
        ConfigError: a length is beyond the model's positions, or a language is unknown to the tokenizer.
        DataError: there are no rows, or the tokenizer gives ids the model has no embedding for.
    """
    kind = task_kind(spec.name)
    if not len(rows):
        raise DataError(f"token ids of {spec.name}", "There are no rows.", "a split with at least one row")
    max_target = spec.max_target_length if for_training else spec.eval_max_target_length
    _check_lengths(spec, kind, max_target, for_training, limits)
    if isinstance(tokenizer, MBartTokenizer):
        _set_languages(tokenizer, spec)
    features: list[Feature] = []
    n_sources = n_targets = 0
    for chunk in _chunks(rows):
        encoded, n_cut = _encode_sources(chunk, kind, tokenizer, spec.max_source_length)
        n_sources += n_cut
        if kind.kind == "seq2seq":
            targets, n_cut = _tokenise(tokenizer, {"text_target": [kind.target(row) for row in chunk]}, max_target)
            labels = [target["input_ids"] for target in targets]
            n_targets += n_cut
        else:
            labels = [kind.target(row) for row in chunk]
        features.extend({**feature, "labels": label} for feature, label in zip(encoded, labels, strict=True))
    _check_vocabulary(features, kind, limits, spec)
    return Encoded(features=features, n_truncated_sources=n_sources, n_truncated_targets=n_targets)


def _chunks(rows: Rows) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _encode_sources(
    rows: Sequence[Row], kind: TaskKind, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> tuple[list[Feature], int]:
    columns = list(zip(*(kind.sources(row) for row in rows), strict=True))
    texts = {"text": list(columns[0])}
    if len(columns) == 2:
        texts["text_pair"] = list(columns[1])
    features, n_cut = _tokenise(tokenizer, texts, max_length)
    if kind.kind == "seq2seq":
        # A tokenizer made for pairs has types; BART and mBART have no embedding for them.
        features = [{"input_ids": feature["input_ids"]} for feature in features]
    return features, n_cut


def _tokenise(tokenizer: PreTrainedTokenizerBase, texts: dict[str, Any], max_length: int) -> tuple[list[Feature], int]:
    """Features cut at `max_length` tokens, and how many were cut."""
    whole = _columns(tokenizer(**texts, truncation=False, verbose=False))
    too_long = [i for i, ids in enumerate(whole["input_ids"]) if len(ids) > max_length]
    if too_long:
        # Only the tokenizer knows how to cut a text and keep the special tokens around it.
        selected: dict[str, Any] = {name: [column[i] for i in too_long] for name, column in texts.items()}
        cut = _columns(tokenizer(**selected, truncation=True, max_length=max_length))
        for name, column in cut.items():
            for i, ids in zip(too_long, column, strict=True):
                whole[name][i] = ids
    names = list(whole)
    features = [
        {name: np.asarray(ids, dtype=np.int32) for name, ids in zip(names, values, strict=True)}
        for values in zip(*whole.values(), strict=True)
    ]
    return features, len(too_long)


def _columns(encoding: Any) -> dict[str, list[list[int]]]:
    return {name: list(column) for name, column in encoding.items() if name in ("input_ids", "token_type_ids")}


def _set_languages(tokenizer: MBartTokenizer, spec: TaskSpec) -> None:
    for name, code in (("source", spec.source_language), ("target", spec.target_language)):
        if code not in tokenizer.lang_code_to_id:
            known = ", ".join(tokenizer.lang_code_to_id)
            raise ConfigError(f"task.{name}_language={code}", "The tokenizer has no such language.", f"one of: {known}")
    tokenizer.src_lang, tokenizer.tgt_lang = str(spec.source_language), spec.target_language


def _check_lengths(spec: TaskSpec, kind: TaskKind, max_target: int, for_training: bool, limits: ModelLimits) -> None:
    lengths = {"max_source_length": spec.max_source_length}
    if kind.kind == "seq2seq":
        lengths["max_target_length" if for_training else "eval_max_target_length"] = max_target
    for name, length in lengths.items():
        if not 2 <= length <= limits.n_positions:
            why = f"The model has positions for 2 to {limits.n_positions} tokens."
            raise ConfigError(f"task.{name}={length}", why, f"task.{name}={limits.n_positions} or less")


def _check_vocabulary(features: list[Feature], kind: TaskKind, limits: ModelLimits, spec: TaskSpec) -> None:
    names = ("input_ids", "labels") if kind.kind == "seq2seq" else ("input_ids",)
    largest = max(int(feature[name].max()) for feature in features for name in names if len(feature[name]))
    if largest >= limits.vocab_size:
        raise DataError(
            f"token ids of {spec.name}",
            f"The tokenizer gives the id {largest}; the model has embeddings for {limits.vocab_size} tokens.",
            "the tokenizer that belongs to the checkpoint",
        )
