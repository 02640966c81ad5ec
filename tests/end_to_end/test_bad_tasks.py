"""Mistakes in a user's data set are reported within seconds, before a backbone loads, and nothing is written."""

from pathlib import Path

import pandas as pd
import pytest

from .test_bad_input import refusal


def folder(root: Path, **splits: dict[str, list]) -> Path:
    for split, columns in splits.items():
        pd.DataFrame(columns).to_csv(root / f"{split}.csv", index=False)
    return root


def told(refused: str, *said: str) -> None:
    for line in ("You asked:", "Why not:", "Instead:", *said):
        assert line in refused, refused


TEXTS = {"abstract": ["one two", "three"], "headline": ["one", "three"], "empty": ["", " "]}
MOODS = {"comment": ["a", "b", "c"], "mood": ["glad", "sad", "glad"], "same": ["x", "x", "x"]}
TEXT_CASES = {
    "columns": ("task.columns.source=abstrat task.columns.target=headline", ["abstract, headline", "source=abstract"]),
    "no such column": ("task.columns.source=body task.columns.target=headline", ["no column body; it has abstract"]),
    "an empty column": ("task.columns.source=abstract task.columns.target=empty", ["empty is empty in all 2 rows"]),
    "another kind's metric": ("task.metrics=[accuracy]", ["accuracy compares labels", "task.metrics=["]),
    "no metric": ("task.metrics=[rogue]", ["there is no metric `rogue`", "rouge"]),
    "another kind's column": ("task.columns.label=headline", ["reads task.columns.source, task.columns.target"]),
    "one column twice": ("task.columns.source=headline task.columns.target=headline", ["cannot be both"]),
    "no such score": ("task.select_by=bleu", ["are rouge1, rouge2", "task.select_by=rouge1"]),
    "labels for text": ("task.labels=[a,b]", ["summarization has no labels"]),
}
LABEL_CASES = {
    "one class": ("task.columns.label=same", ["all 3 rows of the training split have the label x"]),
    "a metric of text": ("task.columns.label=mood task.metrics=[f1,chrf]", ["chrf compares texts", "accuracy"]),
    "one label": ("task.columns.label=mood task.labels=[glad]", ["two labels or more"]),
    "labels that are not there": ("task.columns.label=mood task.labels=[glad,bad]", ["'sad' is none of the labels"]),
}


@pytest.mark.parametrize("case", TEXT_CASES)
def test_a_mistake_about_texts_is_told(case: str, tmp_path: Path) -> None:
    data = folder(tmp_path, train=TEXTS, validation=TEXTS, test=TEXTS)
    typed, said = TEXT_CASES[case]
    told(refusal(f"task=summarization task.path={data} {typed}", tmp_path / "runs"), *said)


@pytest.mark.parametrize("case", LABEL_CASES)
def test_a_mistake_about_labels_is_told(case: str, tmp_path: Path) -> None:
    data = folder(tmp_path, train=MOODS, dev=MOODS, test=MOODS)
    typed, said = LABEL_CASES[case]
    told(refusal(f"task=classification task.columns.text=comment task.path={data} {typed}", tmp_path / "runs"), *said)


def test_a_label_that_training_never_saw_is_told_with_its_place_and_those_it_saw(tmp_path: Path) -> None:
    other = {"comment": ["d", "e"], "mood": ["glad", "gald"], "same": ["x", "x"]}
    data = folder(tmp_path, train=MOODS, dev=MOODS, test=other)
    typed = f"task=classification task.columns.text=comment task.columns.label=mood task.path={data}"
    told(refusal(typed, tmp_path / "runs"), "test.csv:3: mood: 'gald' is none of the labels", "glad, or another", "sad")


def test_words_for_labels_that_nobody_named_are_refused(tmp_path: Path) -> None:
    data = folder(tmp_path, train=MOODS, dev=MOODS, test=MOODS)
    typed = f"task=classification task.columns.text=comment task.columns.label=mood task.path={data} backbone=llama"
    refused = refusal(f"{typed} task.classify_by=words task.label_words=[low,high]", tmp_path / "runs")
    told(refused, "task.label_words=[low,high]", "in an order that is not known", "task.labels=[…]")
    assert "Problem 2" not in refused


def test_a_language_that_the_tokenizer_does_not_know_is_told_with_those_it_knows(tmp_path: Path) -> None:
    data = folder(tmp_path, train=TEXTS, validation=TEXTS, test=TEXTS)
    typed = f"task=translation task.path={data} task.columns.source=abstract task.columns.target=headline"
    typed += " task.source_language=en_XX task.target_language=ro_XX"
    refused = refusal(typed, tmp_path / "runs")
    told(
        refused, "task.target_language=ro_XX", "no such language", "task.target_language=ro_RO, or one of: en_XX, ro_RO"
    )
    assert "Problem 2" not in refused


def test_a_split_that_is_not_there_is_told_with_what_reports_another(tmp_path: Path) -> None:
    data = folder(tmp_path, train=TEXTS, validation=TEXTS)
    typed = f"task=summarization task.path={data} task.columns.source=abstract task.columns.target=headline"
    told(refusal(typed, tmp_path / "runs"), "split test in", "train.csv, validation.csv", "task.test_split=null")


def test_a_data_set_that_nobody_named_is_asked_for(tmp_path: Path) -> None:
    told(refusal("task=summarization", tmp_path / "runs"), "task.path=DIR")
    told(refusal("task=classification task.source=hub", tmp_path / "runs"), "task.path=OWNER/NAME")
    languages = "task.source_language=en_XX task.target_language=ro_RO"
    told(refusal(f"task=translation task.source=mini {languages}", tmp_path / "runs"), "the miniature does not have it")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    data = folder(tmp_path, train=MOODS)
    typed = f"task=classification task.path={data} task.columns.text=comment task.columns.label=same"
    refused = refusal(f"{typed} task.metrics=[rouge] training.batch_size=0 backbone=bart", tmp_path / "runs")
    told(
        refused,
        "Problem 4 of 4",
        "have the label x",
        "rouge compares texts",
        "training.batch_size=16",
        "backbone=roberta",
    )
