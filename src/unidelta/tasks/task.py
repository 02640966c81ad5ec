"""A task's settings for one run: where its rows are, which columns it reads, how it is encoded, decoded and scored.

Lengths are in tokens, special tokens included. Nothing here reads data; see `sources` and `encode`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from unidelta.tasks.columns import Columns, nested, value
from unidelta.tasks.kind import KINDS, Kind
from unidelta.tasks.labels import class_of, read_label
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.text_prompt import TextPrompt

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
class Selection:
    """How the best step is selected on the dev split: by which score, and whether higher is better."""

    metric: str
    higher_is_better: bool

    def prefers(self, new: float, best: float) -> bool:
        """Whether `new` is strictly better than `best`; a tie keeps the earlier step."""
        return new > best if self.higher_is_better else new < best


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """A task's settings for one run.

    Args:
        name: of its file in conf/task/, or in a user's own folder.
        title: its name in print; in the miniature, `mini-` is put in front.
        kind: summarization, translation or classification.
        columns: the columns that are read, by role.
        labels: names of the classes in order; empty if text is generated.
        metrics: names of the metrics; the first gives the headline score.
        select_by: the score that selects the best step, or `loss`.
        source: `hub` (the data set's repository), `local` (files in `path`) or `mini` (the miniature's corpora).
        path: folder of the splits' files; needed for `local` only.
        hub_id: repository of the data set, e.g. `nyu-mll/glue`; None where the hub is not the source.
        hub_config: configuration inside it, e.g. `sst2`.
        hub_revision: branch, tag or commit; None is the main branch, or no hub source.
        max_source_length: tokens kept of the source (of both sentences together for a pair).
        max_target_length: tokens kept of the target in training.
        eval_max_target_length: tokens kept of the target at evaluation; references are what remains.
        eval_split: dev split, on which the best step is selected.
        test_split: split reported at the end, None if the paper reports the dev split (GLUE).
        extra_eval_splits: further splits reported at the end (MNLI mismatched).
        max_train_examples: first rows kept of the train split, which is read, checked and counted even if nothing is
            trained; None keeps all.
        max_eval_examples: first rows of `eval_split` on which the best step is selected; None takes all.
        max_test_examples: first rows kept of every split reported at the end; None keeps all.
        max_unknown_share: the largest share of unknown tokens in a split's sources or targets.
        source_language: the tokenizer's code of the source language, e.g. `en_XX`.
        target_language: the tokenizer's code of the target language, e.g. `ro_RO`.
        generation: beam search settings, None for classification.
        world: seed of the miniature's world; read with `mini` only.
        prompt: how a decoder-only model reads the sources; None for a model with an encoder.
    """

    name: str
    title: str
    kind: str
    columns: Columns
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    select_by: str
    source: Literal["hub", "local", "mini"]
    path: str | None
    hub_id: str | None
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
    max_unknown_share: float = 0.2
    prompt: TextPrompt | None = None

    def descriptor(self) -> Kind:
        """The kind's descriptor."""
        return KINDS[self.kind]

    @property
    def generates(self) -> bool:
        """Whether a model generates text, rather than choosing a label."""
        return self.descriptor().output == "text"

    @property
    def writes(self) -> bool:
        """Whether targets are tokens: texts, or labels that are written as words."""
        return self.generates or (self.prompt is not None and bool(self.prompt.label_words))

    @property
    def is_one_sequence(self) -> bool:
        """Whether a model reads the source and, after it, the target as one sequence."""
        return self.prompt is not None and self.writes

    @property
    def n_outputs(self) -> int:
        """Outputs of the classification head: one for each label, 0 where targets are written."""
        return 0 if self.writes else len(self.labels)

    def scorers(self) -> tuple[Metric, ...]:
        """The descriptors of the metrics; the first gives the headline score."""
        return tuple(METRICS[name] for name in self.metrics)

    @property
    def headline(self) -> str:
        """The score shown in tables: the first metric's headline."""
        return self.scorers()[0].headline

    @property
    def selection(self) -> Selection:
        """How the best step is selected."""
        higher = {key: metric.higher_is_better for metric in self.scorers() for key in metric.keys}
        return Selection(metric=self.select_by, higher_is_better=higher.get(self.select_by, False))

    def column_names(self) -> dict[str, str]:
        """The columns that are read, by role."""
        found = {role: getattr(self.columns, role) for role in self.descriptor().roles}
        return {role: name for role, name in found.items() if name is not None}

    def text_columns(self) -> tuple[str, ...]:
        """The columns that hold text."""
        names, kind = self.column_names(), self.descriptor()
        return tuple(name for role, name in names.items() if kind.output == "text" or role != kind.target)

    def picked(self, row: Row) -> Row:
        """The columns of a row that the task reads, in the same form for every source."""
        texts = self.text_columns()
        names = self.column_names().values()
        found = [value(row, name) if name in texts else read_label(value(row, name)) for name in names]
        return nested(tuple(names), found)

    def source_roles(self) -> list[str]:
        """The roles of the sources that the task has columns for."""
        return [role for role in self.descriptor().sources if role in self.column_names()]

    def sources(self, row: Row) -> tuple[str, ...]:
        """The source texts of a row: one, or two for a pair."""
        names = self.column_names()
        return tuple(value(row, names[role]) for role in self.source_roles())

    def source_text(self, row: Row) -> str:
        """The sources of a row in the prompt's template."""
        assert self.prompt is not None
        return self.prompt.text(dict(zip(self.source_roles(), self.sources(row), strict=True)))

    def target_text(self, row: Row) -> str:
        """What is to be written for a row: its target text, or the word of its label."""
        target = self.target(row)
        return target if self.generates or self.prompt is None else self.prompt.label_words[target]

    def target(self, row: Row) -> Any:
        """The target text of a row, or the number of its class."""
        found = value(row, self.column_names()[self.descriptor().target])
        return found if self.generates else class_of(found, self.labels)

    def label(self, row: Row) -> int | str:
        """The label of a row in the spelling of the data."""
        return value(row, self.column_names()[self.descriptor().target])

    def splits(self) -> tuple[str, ...]:
        """The splits a run reads, train first, each once."""
        named = ("train", self.eval_split, self.test_split, *self.extra_eval_splits)
        return tuple(dict.fromkeys(split for split in named if split))

    @property
    def reports_dev(self) -> bool:
        """Whether the dev split is reported, because there is no test split."""
        return self.test_split in (None, self.eval_split)

    def limit(self, split: str) -> int | None:
        """How many of the first rows of `split` are kept, None for all.

        A reported dev split is read whole, although the best step is selected on its first rows.
        """
        if split == "train":
            return self.max_train_examples
        return self.max_eval_examples if split == self.eval_split and not self.reports_dev else self.max_test_examples
