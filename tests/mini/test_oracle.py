"""What a model that knows all but the noise would score on the test sets: the line that figures draw."""

from typing import Any

import pytest

from unidelta.analysis.oracle import ORACLE
from unidelta.mini import corpus, second_language, tasks
from unidelta.tasks.metrics.metric import METRICS

SPLITS = {"xsum": "test", "wmt_en_ro": "test", "mnli": "test_matched", "sst2": "test"}


def answers(task: str, split: str) -> list[Any]:
    rows = corpus._rows.__wrapped__(task, split, corpus.SHIPPED_SEED)
    if task == "wmt_en_ro":
        return [row["translation"]["ro"] for row in rows]
    return [row["summary" if task == "xsum" else "label"] for row in rows]


@pytest.mark.parametrize(("task", "split"), [*SPLITS.items(), ("mnli", "test_mismatched")])
def test_the_oracle_scores_what_is_drawn(task: str, split: str, monkeypatch: pytest.MonkeyPatch):
    noisy = answers(task, split)
    monkeypatch.setattr(tasks, "LABEL_NOISE", 0.0)
    monkeypatch.setattr(tasks, "_P_USUAL", 1.0)
    monkeypatch.setattr(second_language, "_P_SECOND_WORD", 0.0)
    usual = answers(task, split)  # the same draws, and always the likelier word or the true label
    is_scored = False
    for (of, metric), score in ORACLE.items():
        if of == task and (metric == "mismatched") is (split == "test_mismatched"):
            key = "accuracy" if metric == "mismatched" else metric
            name = "rouge" if metric.startswith("rouge") else key
            assert METRICS[name].score(usual, noisy)[key] == pytest.approx(score, abs=0.005)
            is_scored = True
    assert is_scored
