"""The registry of tasks and the small rules of their specs."""

import subprocess
import sys

from unidelta.tasks import TASKS, Selection


def test_every_task_reads_its_own_columns() -> None:
    rows = {
        "xsum": {"document": "long", "summary": "short"},
        "wmt_en_ro": {"translation": {"en": "sea", "ro": "mare"}},
        "mnli": {"premise": "p", "hypothesis": "h", "label": 2},
        "sst2": {"sentence": "s", "label": 1},
    }
    read = {name: (kind.sources(rows[name]), kind.target(rows[name])) for name, kind in TASKS.items()}
    assert read == {
        "xsum": (("long",), "short"),
        "wmt_en_ro": (("sea",), "mare"),
        "mnli": (("p", "h"), 2),
        "sst2": (("s",), 1),
    }


def test_labels_are_in_glue_order() -> None:
    assert TASKS["mnli"].label_names == ("entailment", "neutral", "contradiction")
    assert TASKS["sst2"].label_names == ("negative", "positive")
    assert [kind.n_labels for kind in TASKS.values()] == [0, 0, 3, 2]


def test_the_best_step_is_chosen_as_in_the_paper() -> None:
    chosen = {name: (kind.selection.metric, kind.selection.higher_is_better) for name, kind in TASKS.items()}
    assert chosen == {
        "xsum": ("rouge2", True),
        "wmt_en_ro": ("loss", False),
        "mnli": ("accuracy", True),
        "sst2": ("accuracy", True),
    }
    for kind in TASKS.values():
        assert kind.selection.metric in (*kind.metric.keys, "loss")


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
        "print([m for m in ('torch', 'transformers', 'datasets', 'nltk', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
