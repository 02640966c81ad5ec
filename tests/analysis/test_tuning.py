"""Records as a table, and the choice of learning rates: by dev score, then by dev loss, never by test score."""

from pathlib import Path

import pytest

from unidelta.analysis.frame import runs
from unidelta.analysis.tuning import best, tuned_file
from unidelta.errors import RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

TRIALS = [  # learning rate, dev, dev loss, test, status
    (1e-3, 50.0, 0.1, 99.0, "complete"),
    (2e-3, 70.0, 0.5, 90.0, "complete"),
    (3e-3, 70.0, 0.4, 10.0, "complete"),
    (4e-3, 70.0, 0.6, 90.0, "complete"),
    (1e-2, 80.0, 0.1, 80.0, "diverged"),
]
PART = {"form": "prefix", "composition": "scaled", "scale": 4.0, "init": "activations"}


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    for number, (rate, dev, loss, test, status) in enumerate(TRIALS):
        at = {"task": "mnli", "method": "lora", "position": "attn", "seed": 1, "scale": "mini", "source": "mini"}
        splits = {"eval_split": "validation_matched", "test_split": "test_matched"}
        record = RunRecord(
            run_id=f"run{number}",
            status=status,
            coordinates=at,
            spec={"task": splits, "design": {"parts": [PART]}, "training": {"learning_rate": rate, "max_steps": 400}},
            parameters={"percent_matrices": 6.7, "trained": 10},
            metrics={"validation_matched": {"accuracy": dev, "loss": loss}, "test_matched": {"accuracy": test}},
            cost={"seconds": 1.0},
            provenance={},
        )
        RecordStore(root=tmp_path).write(record)
    return tmp_path


def test_every_record_is_a_row_with_the_scores_of_its_own_splits(trials: Path):
    frame = runs(trials)
    # the last one diverged: what it scored before is no score
    assert frame["dev"].tolist()[:-1] == [dev for _, dev, *_ in TRIALS[:-1]]
    assert frame["test"].tolist()[:-1] == [test for *_, test, _ in TRIALS[:-1]]
    assert frame.loc[4, ["dev", "dev_loss", "test"]].isna().all()
    assert frame["s"].tolist() == [4.0] * 5
    assert frame["prefix_init"].tolist() == ["activations"] * 5
    assert frame["learning_rate"].tolist() == [rate for rate, *_ in TRIALS]


def test_the_best_dev_score_of_a_complete_run_is_chosen_whatever_the_test_scores(trials: Path):
    assert {key: trial["learning_rate"] for key, trial in best(runs(trials)).items()} == {("mnli", "lora"): 3e-3}


def test_where_nothing_is_generated_on_dev_the_lowest_loss_is_chosen(trials: Path):
    frame = runs(trials).assign(dev=float("nan"), dev_loss=[0.5, 0.3, 0.1, 0.2, 0.05])
    assert {key: trial["learning_rate"] for key, trial in best(frame).items()} == {("mnli", "lora"): 3e-3}


def test_a_tuned_file_begins_with_what_the_paper_tunes():
    assert "  - /tuned/paper/mnli_lora\n" in tuned_file("lora", "mnli", 3e-3, 3)
    assert tuned_file("lora", "xsum", 3e-3, 3).endswith("seed 1001.\ntraining:\n  learning_rate: 0.003\n")
    assert "method:\n  attn: {init: activations}\n" in tuned_file("mam", "xsum", 3e-3, 3, prefix_init="activations")


def test_a_folder_without_records_says_what_to_type(tmp_path: Path):
    with pytest.raises(RecordError, match=r"python sweep\.py"):
        runs(tmp_path)
