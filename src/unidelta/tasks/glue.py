"""The paper's two GLUE tasks: MNLI (sentence pairs, three classes) and SST-2 (sentences, two classes)."""

from unidelta.tasks.metrics.accuracy import ACCURACY
from unidelta.tasks.task import Column, Selection, TaskKind

_BEST_ACCURACY = Selection(metric="accuracy", higher_is_better=True)
_LABEL = Column(path=("label",), holds="label")

MNLI = TaskKind(
    name="mnli",
    title="MNLI",
    kind="classification",
    columns=(Column(path=("premise",), holds="text"), Column(path=("hypothesis",), holds="text"), _LABEL),
    label_names=("entailment", "neutral", "contradiction"),
    sources=lambda row: (row["premise"], row["hypothesis"]),
    target=lambda row: row["label"],
    metric=ACCURACY,
    selection=_BEST_ACCURACY,
    mini_test_splits=("test_matched", "test_mismatched"),
)

SST2 = TaskKind(
    name="sst2",
    title="SST-2",
    kind="classification",
    columns=(Column(path=("sentence",), holds="text"), _LABEL),
    label_names=("negative", "positive"),
    sources=lambda row: (row["sentence"],),
    target=lambda row: row["label"],
    metric=ACCURACY,
    selection=_BEST_ACCURACY,
    mini_test_splits=("test",),
)
