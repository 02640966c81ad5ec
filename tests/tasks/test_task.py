"""Kinds, the paper's tasks as presets of them, and the small rules of a task."""

import subprocess
import sys

import pytest

from unidelta.tasks import KINDS, METRICS, Selection

from ..task_facts import task_spec

PAPER = ("xsum", "wmt_en_ro", "mnli", "sst2")


def test_every_task_reads_its_own_columns() -> None:
    rows = {
        "xsum": {"document": "long", "summary": "short"},
        "wmt_en_ro": {"translation": {"en": "sea", "ro": "mare"}},
        "mnli": {"premise": "p", "hypothesis": "h", "label": 2},
        "sst2": {"sentence": "s", "label": 1},
    }
    read = {name: (task_spec(name).sources(row), task_spec(name).target(row)) for name, row in rows.items()}
    assert read == {
        "xsum": (("long",), "short"),
        "wmt_en_ro": (("sea",), "mare"),
        "mnli": (("p", "h"), 2),
        "sst2": (("s",), 1),
    }


def test_labels_are_in_glue_order_by_number_or_name() -> None:
    mnli = task_spec("mnli")
    assert mnli.labels == ("entailment", "neutral", "contradiction")
    assert task_spec("sst2").labels == ("negative", "positive")
    assert [task_spec(name).n_outputs for name in PAPER] == [0, 0, 3, 2]
    assert [mnli.target({"label": label}) for label in (0, "contradiction", "neutral", 2)] == [0, 2, 1, 2]


def test_the_best_step_is_chosen_as_in_the_paper() -> None:
    chosen = {name: task_spec(name).selection for name in PAPER}
    assert {name: (each.metric, each.higher_is_better) for name, each in chosen.items()} == {
        "xsum": ("rouge2", True),
        "wmt_en_ro": ("loss", False),
        "mnli": ("accuracy", True),
        "sst2": ("accuracy", True),
    }


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_knows_its_columns_by_role(name: str) -> None:
    kind = KINDS[name]
    assert set(kind.optional) < set(kind.sources) and kind.target not in kind.sources
    assert any(metric.fits == kind.output for metric in METRICS.values())


def test_a_tie_does_not_replace_the_earlier_step() -> None:
    higher, lower = (Selection(metric="m", higher_is_better=is_better) for is_better in (True, False))
    assert [higher.prefers(new, 5.0) for new in (4.0, 5.0, 6.0)] == [False, False, True]
    assert [lower.prefers(new, 5.0) for new in (4.0, 5.0, 6.0)] == [True, False, False]


def test_splits_are_named_once(make_task) -> None:
    spec = make_task("mnli", eval_split="a", test_split="a", extra_eval_splits=("b",))
    assert spec.splits() == ("train", "a", "b")


def test_a_dev_split_that_is_reported_is_read_whole(make_task) -> None:
    limits = {"max_train_examples": 9, "max_eval_examples": 5, "max_test_examples": 7}
    reported, other = (make_task("mnli", test_split=split, extra_eval_splits=("b",), **limits) for split in (None, "t"))
    assert {split: reported.limit(split) for split in reported.splits()} == {"train": 9, "validation": 7, "b": 7}
    assert {split: other.limit(split) for split in other.splits()} == {"train": 9, "validation": 5, "t": 7, "b": 7}
    assert make_task("sst2", max_eval_examples=5).limit("validation") is None
    assert make_task("sst2", test_split="validation").reports_dev and not other.reports_dev


def test_planning_does_not_pay_for_torch() -> None:
    code = (
        "import sys, unidelta.tasks, unidelta.training, unidelta.records\n"
        "list(unidelta.tasks.METRICS), list(unidelta.tasks.KINDS)\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'nltk', 'pyarrow', 'sacrebleu') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
