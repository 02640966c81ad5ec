"""What a task is: its settings for one run (`TaskSpec`) and what never changes about it (`TaskKind`).

Lengths are in tokens, special tokens included. Nothing here reads data; see `sources` and `encode`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unidelta.tasks.metrics.metric import Metric

Row = Mapping[str, Any]
"""One example in the data set's own columns, e.g. `{"sentence": "in memory ", "label": 1}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSpec:
    """Beam search settings (He et al. 2022, Appendix A.2).

    Args:
        num_beams: beams; 1 is greedy search.
        max_length: longest output in tokens, the start token included.
        min_length: shortest output in tokens, the start token included.
        no_repeat_ngram_size: length of n-grams that may not repeat; 0 allows all.
        length_penalty: exponent on the length by which a beam's log-probability is divided.
    """

    num_beams: int
    max_length: int
    min_length: int
    no_repeat_ngram_size: int
    length_penalty: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One task as one run sees it.

    Args:
        name: xsum, wmt_en_ro, mnli or sst2.
        source: `hub` (the data set's own repository), `local` (files in `path`) or `mini` (embedded corpora).
        path: folder of `<split>.jsonl` or `<split>.parquet`; needed for `local` only.
        hub_id: repository of the data set, e.g. `nyu-mll/glue`.
        hub_config: configuration inside it, e.g. `sst2`.
        hub_revision: branch, tag or commit; None takes the main branch, and where the hub is not the source.
        max_source_length: tokens kept of the source (of both sentences together for a pair).
        max_target_length: tokens kept of the target in training.
        eval_max_target_length: tokens kept of the target at evaluation; references are what remains.
        eval_split: dev split, on which the best step is selected.
        test_split: split reported at the end, None where the paper reports the dev split (GLUE).
        extra_eval_splits: splits reported at the end beside it (MNLI mismatched).
        max_train_examples: first rows kept of the train split; None keeps all.
        max_eval_examples: first rows of `eval_split` on which the best step is selected; None takes all.
        max_test_examples: first rows kept of every split that is reported at the end; None keeps all.
        source_language: mBART's code of the source language, e.g. `en_XX`.
        target_language: mBART's code of the target language, e.g. `ro_RO`.
        generation: beam search settings, None for classification.
        world: seed of the miniature's world; read with `mini` only.
    """

    name: str
    source: Literal["hub", "local", "mini"]
    path: str | None
    hub_id: str
    hub_config: str | None
    hub_revision: str | None
    max_source_length: int
    max_target_length: int
    eval_max_target_length: int
    eval_split: str
    test_split: str | None
    extra_eval_splits: tuple[str, ...]
    max_train_examples: int | None
    max_eval_examples: int | None
    max_test_examples: int | None
    source_language: str | None
    target_language: str | None
    generation: GenerationSpec | None
    world: int = 0

    def splits(self) -> tuple[str, ...]:
        """The splits a run reads, train first, each once."""
        named = (
            "train",
            self.eval_split,
            *((self.test_split,) if self.test_split else ()),
            *self.extra_eval_splits,
        )
        return tuple(dict.fromkeys(named))

    @property
    def reports_dev(self) -> bool:
        """Whether the dev split itself is reported, for want of a test split of its own."""
        return self.test_split in (None, self.eval_split)

    def limit(self, split: str) -> int | None:
        """The number of first rows kept of `split`, None for all.

        A dev split that is reported is read whole, though the best step is selected on its first rows.
        """
        if split == "train":
            return self.max_train_examples
        return self.max_eval_examples if split == self.eval_split and not self.reports_dev else self.max_test_examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column a task needs.

    Args:
        path: its name, or the names that lead into nested columns: `("translation", "en")`.
        holds: what is in it.
    """

    path: tuple[str, ...]
    holds: Literal["text", "label"]

    @property
    def name(self) -> str:
        """The column as a person writes it: `translation.en`."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How the best step is chosen on the dev split: which metric, and whether more is better."""

    metric: str
    higher_is_better: bool

    def prefers(self, new: float, best: float) -> bool:
        """Whether `new` is strictly better than `best`; a tie keeps the earlier step."""
        return new > best if self.higher_is_better else new < best


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """What never changes about a task.

    Args:
        name: the task's name.
        title: as people write it; the embedded miniature's is called `mini-` and this.
        kind: sequence to sequence, or classification.
        columns: the columns a row must have.
        label_names: names of the classes in label order; empty for seq2seq.
        sources: the source texts of a row: one, or two for a sentence pair.
        target: the target text of a row (seq2seq) or its label (classification).
        metric: what scores predictions.
        selection: how the best step is chosen.
        mini_test_splits: what the miniature reports where the data set's own test split has no labels.
    """

    name: str
    title: str
    kind: Literal["seq2seq", "classification"]
    columns: tuple[Column, ...]
    label_names: tuple[str, ...]
    sources: Callable[[Row], tuple[str, ...]]
    target: Callable[[Row], Any]
    metric: Metric
    selection: Selection
    mini_test_splits: tuple[str, ...] = ()

    @property
    def n_labels(self) -> int:
        """Number of classes, 0 for seq2seq."""
        return len(self.label_names)
