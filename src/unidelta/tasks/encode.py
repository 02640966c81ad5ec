"""Encode rows as token ids, and count truncated and empty texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Protocol, runtime_checkable

import numpy as np
from transformers import PreTrainedTokenizerBase

from unidelta.errors import DataError, Problems, UserError
from unidelta.tasks.features import Feature, Features, Ragged
from unidelta.tasks.language_check import wrong_languages
from unidelta.tasks.lengths import check_lengths
from unidelta.tasks.prompted import check_prompt, encode_prompts, encode_targets
from unidelta.tasks.sources import Rows
from unidelta.tasks.task import Row, TaskSpec

# Rows tokenised at a time: limits the memory of ids that are not yet arrays.
_CHUNK = 1000


@runtime_checkable
class Multilingual(Protocol):
    """A tokenizer that marks texts with the code of their language, like mBART's."""

    lang_code_to_id: dict[str, int]
    src_lang: str
    tgt_lang: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLimits:
    """A model's limits: token ids below `vocab_size`, sequences of up to `n_positions` tokens."""

    vocab_size: int
    n_positions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A split as token ids.

    Args:
        features: one per row, in the rows' order.
        n_truncated_sources: rows whose source was truncated.
        n_truncated_targets: rows whose target text was truncated; 0 for classification.
        n_empty_sources: rows with a source (either one of a pair) that has no visible character: only its special
            tokens remain.
        n_empty_targets: rows whose target has no visible character; 0 for classification.
    """

    features: Sequence[Feature]
    n_truncated_sources: int
    n_truncated_targets: int
    n_empty_sources: int
    n_empty_targets: int

    def __len__(self) -> int:
        return len(self.features)


COUNTS = tuple(field.name for field in fields(Encoded) if field.name != "features")


def prepare(spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, limits: ModelLimits) -> None:
    """Check all settings, and set the tokenizer to the task's languages if it has any."""
    problems: list[UserError] = list(check_lengths(spec, limits.n_positions))
    if spec.prompt is not None and not problems:
        problems = check_prompt(spec, tokenizer, n_positions=limits.n_positions)
    if isinstance(tokenizer, Multilingual) and not problems:
        problems = wrong_languages(spec, tuple(tokenizer.lang_code_to_id))
    if problems:
        raise problems[0] if len(problems) == 1 else Problems(problems)
    if isinstance(tokenizer, Multilingual):
        tokenizer.src_lang, tokenizer.tgt_lang = str(spec.source_language), spec.target_language


def tokenised(rows: Rows, *, spec: TaskSpec, tokenizer: PreTrainedTokenizerBase, split: str) -> Encoded:
    """Token ids of `rows` from a prepared tokenizer, not yet checked."""
    if not len(rows):
        raise DataError(f"token ids of {spec.name}", "there are no rows", "a split with at least one row")
    max_target = spec.max_target_length if split == "train" else spec.eval_max_target_length
    parts: dict[str, list[Any]] = {}
    n = dict.fromkeys(COUNTS, 0)
    for chunk in _chunks(rows):
        columns, n_cut = _encode_sources(chunk, spec, tokenizer)
        n["n_truncated_sources"] += n_cut
        n["n_empty_sources"] += sum(not all(text.strip() for text in spec.sources(row)) for row in chunk)
        targets, n_cut = [spec.target(row) for row in chunk], 0
        if spec.generates:
            n["n_empty_targets"] += sum(not text.strip() for text in targets)
        if spec.is_one_sequence:
            texts, longest = [spec.target_text(row) for row in chunk], max_target if spec.generates else None
            columns["labels"], n_cut = encode_targets(texts, spec, tokenizer, longest)
        elif spec.generates:
            encoded, n_cut = _tokenise(tokenizer, {"text_target": targets}, max_target)
            columns["labels"] = encoded["input_ids"]
        n["n_truncated_targets"] += n_cut
        for name, column in columns.items():
            parts.setdefault(name, []).append(Ragged.of(column))
        if not spec.writes:
            parts.setdefault("labels", []).append(np.asarray(targets, dtype=np.int64))
    joined = {
        name: Ragged.joined(part) if isinstance(part[0], Ragged) else np.concatenate(part)
        for name, part in parts.items()
    }
    return Encoded(features=Features(columns=joined), **n)


def check_encoded(encoded: Encoded, spec: TaskSpec, limits: ModelLimits, *, split: str) -> None:
    """Refuse token ids that a model cannot learn from, or that are out of range."""
    asked, instead = f"token ids of the {split} split of {spec.name}", "the tokenizer that belongs to the checkpoint"
    if encoded.n_empty_sources == len(encoded):
        raise DataError(asked, f"all {len(encoded):,} rows have an empty source", "rows with text")
    assert isinstance(encoded.features, Features)
    for name, column in encoded.features.columns.items():
        if not isinstance(column, Ragged):
            continue
        lengths = column.lengths()
        if not lengths.all():
            raise _without_tokens(asked, name, int(lengths.argmin()) + 1, spec)
        if column.flat.max() >= limits.vocab_size:
            why = f"the tokenizer gives the id {column.flat.max()}; the model has embeddings for {limits.vocab_size}"
            raise DataError(asked, f"{why} tokens", instead)


def _without_tokens(asked: str, column: str, row: int, spec: TaskSpec) -> DataError:
    """The error of a text without tokens; only a prompt may have none, as its tokenizer need not begin texts."""
    why = f"the tokenizer gives no token at all for the {'target' if column == 'labels' else 'source'} of row {row}"
    if spec.prompt is None:
        return DataError(asked, f"{why}, not even special ones", "the tokenizer that belongs to the checkpoint")
    template = " ".join(f"{{{role}}}" for role in spec.source_roles())
    return DataError(
        asked,
        f"{why}: it has no text that is known, the template has none either, and no special token begins a prompt",
        f"""task.prompt='"Text: {template}"', say, or rows with text""",
    )


def _chunks(rows: Rows) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk


def _encode_sources(
    rows: Sequence[Row], spec: TaskSpec, tokenizer: PreTrainedTokenizerBase
) -> tuple[dict[str, list[list[int]]], int]:
    if spec.prompt is not None:
        ids, n_cut = encode_prompts(rows, spec, tokenizer)
        return {"input_ids": ids}, n_cut
    sources = zip(*(spec.sources(row) for row in rows), strict=True)
    texts: dict[str, Any] = dict(zip(("text", "text_pair"), map(list, sources), strict=False))
    columns, n_cut = _tokenise(tokenizer, texts, spec.max_source_length)
    if spec.generates:
        # A tokenizer for pairs returns token types; BART and mBART have no embedding for them.
        columns = {"input_ids": columns["input_ids"]}
    return columns, n_cut


def _tokenise(
    tokenizer: PreTrainedTokenizerBase, texts: dict[str, Any], max_length: int
) -> tuple[dict[str, list[list[int]]], int]:
    """Columns of ids truncated at `max_length` tokens, and how many were truncated."""
    whole = _columns(tokenizer(**texts, truncation=False, verbose=False))
    too_long = [i for i, ids in enumerate(whole["input_ids"]) if len(ids) > max_length]
    if too_long:
        # Only the tokenizer knows how to truncate a text and keep its special tokens.
        selected: dict[str, Any] = {name: [column[i] for i in too_long] for name, column in texts.items()}
        cut = _columns(tokenizer(**selected, truncation=True, max_length=max_length))
        for name, column in cut.items():
            for i, ids in zip(too_long, column, strict=True):
                whole[name][i] = ids
    return whole, len(too_long)


def _columns(encoding: Any) -> dict[str, list[list[int]]]:
    return {name: list(column) for name, column in encoding.items() if name in ("input_ids", "token_type_ids")}
