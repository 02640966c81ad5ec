"""Whether a model can read a task's texts, and a metric its references: counted, said, and refused above a share.

A tokenizer writes its unknown token for a word, character or piece that it has no token for, and the model is none the
wiser: on rows of another language than it was made for, it trains on nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from unidelta.errors import DataError, Problems, UserError
from unidelta.tasks.encode import Encoded
from unidelta.tasks.features import Features, Ragged
from unidelta.tasks.prompted import template_ids
from unidelta.tasks.sources import Rows
from unidelta.tasks.task import TaskSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """How many tokens of some texts are the unknown token.

    Args:
        n: so many.
        of: tokens in all, special ones left out.
    """

    n: int
    of: int

    @property
    def share(self) -> float:
        """The part that is unknown, 0 to 1."""
        return self.n / self.of if self.of else 0.0


def unknown_tokens(encoded: Encoded, task: TaskSpec, tokenizer: PreTrainedTokenizerBase) -> dict[str, Unknown]:
    """The unknown tokens of a split's `sources`, and of its `targets` where targets are written.

    The words of a prompt, which are the same in every row, are left out where they would make the sources look better.
    """
    assert isinstance(encoded.features, Features)
    columns = {"sources": "input_ids", **({"targets": "labels"} if task.writes else {})}
    found: dict[str, Unknown] = {}
    for side, name in columns.items():
        column = encoded.features.columns[name]
        assert isinstance(column, Ragged)
        found[side] = _unknown(column.flat, tokenizer)
    if task.prompt is not None:
        whole, template = found["sources"], _unknown(np.array(template_ids(task, tokenizer), np.int32), tokenizer)
        n = max(0, whole.n - len(encoded) * template.n)
        alone = Unknown(n=n, of=max(n, whole.of - len(encoded) * template.of))
        found["sources"] = max(whole, alone, key=lambda tokens: tokens.share)
    return found


def _unknown(ids: np.ndarray, tokenizer: PreTrainedTokenizerBase) -> Unknown:
    """How many of some token ids are the unknown one.

    A tokenizer of bytes knows every text, and may still name a token: GPT-2's begins and ends texts, and is no unknown.
    """
    unknown = tokenizer.unk_token_id
    n = 0 if unknown in (None, tokenizer.bos_token_id, tokenizer.eos_token_id) else int((ids == unknown).sum())
    return Unknown(n=n, of=int((~np.isin(ids, tokenizer.all_special_ids)).sum()) + n)


def unreadable_references(rows: Rows, task: TaskSpec) -> dict[str, int]:
    """By metric, the references with text in them in which it finds no word; only metrics with such references."""
    readers = {metric.name: metric.reads for metric in task.scorers() if metric.reads is not None}
    texts = [text for text in (task.target(row) for row in rows) if text.strip()] if readers else []
    counted = {name: sum(not reads(text) for text in texts) for name, reads in readers.items()}
    return {name: n for name, n in counted.items() if n}


def check_readable(found: Mapping[str, Mapping[str, Unknown]], task: TaskSpec) -> None:
    """Refuse texts of which a model would read too little.

    Args:
        found: unknown tokens by split and side (`unknown_tokens`).
        task: says how many may be unknown.

    Raises:
        Problems: more than `task.max_unknown_share` of the tokens of a split's sources or targets are unknown.
    """
    problems: list[UserError] = [
        DataError(
            f"{side} of the {split} split of {task.name}",
            f"{tokens.share:.0%} of their tokens are unknown tokens ({tokens.n:,} of {tokens.of:,}): the model cannot"
            " read the text",
            f"a backbone that knows its words (scale=paper, backbone.checkpoint=DIR), or"
            f" task.max_unknown_share={tokens.share + 0.005:.2f} to run all the same",
        )
        for split, sides in found.items()
        for side, tokens in sides.items()
        if tokens.share > task.max_unknown_share
    ]
    if problems:
        raise Problems(problems)


def unreadable_lines(
    found: Mapping[str, Mapping[str, Unknown]], unreadable: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    """What a person should know of both, a line each; nothing where all can be read.

    Args:
        found: unknown tokens by split and side.
        unreadable: references without a word, by split and metric.
    """
    some = [
        f"{split} {side} {tokens.share:.2%}"
        for split, sides in found.items()
        for side, tokens in sides.items()
        if tokens.n
    ]
    if some:
        yield f"Unknown tokens, which the model cannot read: {', '.join(some)}"
    words = [f"{metric} in {n:,} of {split}" for split, by in unreadable.items() for metric, n in by.items()]
    if words:
        yield (
            f"References without a word that the metric counts: {', '.join(words)}; task.metrics=[rouge_unicode]"
            " counts words of every script"
        )
