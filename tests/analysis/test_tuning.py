"""Records as a table, and the choice of learning rates: by dev score, then by dev loss, never by test score."""

from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.analysis.frame import runs
from unidelta.analysis.tuning import Choice, best, tuned_file
from unidelta.errors import RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

TRIALS = [  # learning rate, seed, dev, dev loss, test, status
    (1e-3, 1, 50.0, 0.1, 99.0, "complete"),
    (2e-3, 1, 90.0, 0.5, 90.0, "complete"),
    (3e-3, 1, 70.0, 0.4, 10.0, "complete"),
    (4e-3, 1, 70.0, 0.6, 90.0, "complete"),
    (1e-2, 1, 99.0, 0.1, 80.0, "complete"),
    (1e-3, 2, 50.0, 0.1, 99.0, "complete"),
    (2e-3, 2, 40.0, 0.5, 90.0, "complete"),
    (3e-3, 2, 70.0, 0.4, 10.0, "complete"),
    (4e-3, 2, 70.0, 0.6, 90.0, "complete"),
    (1e-2, 2, 80.0, 0.1, 80.0, "diverged"),
]
PART = {"form": "prefix", "composition": "scaled", "scale": 4.0, "init": "activations"}


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    for number, (rate, seed, dev, loss, test, status) in enumerate(TRIALS):
        at = {"task": "mnli", "method": "lora", "position": "attn", "seed": seed, "scale": "mini", "source": "mini"}
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
    assert frame["dev"].tolist()[:-1] == [dev for _, _, dev, *_ in TRIALS[:-1]]
    assert frame["test"].tolist()[:-1] == [test for *_, test, _ in TRIALS[:-1]]
    assert frame.loc[9, ["dev", "dev_loss", "test"]].isna().all()
    assert frame["s"].tolist() == [4.0] * 10
    assert frame["prefix_init"].tolist() == ["activations"] * 10
    assert frame["learning_rate"].tolist() == [rate for rate, *_ in TRIALS]


def test_the_best_mean_of_dev_scores_is_chosen_whatever_one_seed_or_the_test_scores(trials: Path):
    """2e-3 is best with seed 1 and not in the mean; 1e-2 is best in both, and diverged with seed 2."""
    choice = Choice(learning_rate=3e-3, n_rates=5, seeds=(1, 2), prefix_init="activations")
    assert best(runs(trials)) == {("mnli", "lora"): choice}


def test_a_rate_without_a_run_of_every_seed_is_not_chosen(trials: Path):
    frame = runs(trials)
    assert best(frame.drop(index=7))["mnli", "lora"].learning_rate == 4e-3


def test_where_nothing_is_generated_on_dev_the_lowest_loss_is_chosen(trials: Path):
    frame = runs(trials).assign(dev=float("nan"), dev_loss=[0.5, 0.3, 0.1, 0.2, 0.05] * 2)
    assert best(frame)["mnli", "lora"].learning_rate == 3e-3


def test_a_tuned_file_begins_with_what_the_paper_tunes():
    plain = Choice(learning_rate=3e-3, n_rates=4, seeds=(1001,), prefix_init="")
    assert "  - /tuned/paper/mnli_lora\n" in tuned_file("lora", "mnli", plain)
    assert tuned_file("lora", "xsum", plain).endswith("seed 1001.\ntraining:\n  learning_rate: 0.003\n")
    assert "seeds 1001, 1002.\n" in tuned_file("lora", "xsum", replace(plain, seeds=(1001, 1002)))
    init = replace(plain, prefix_init="activations")
    assert "method:\n  attn: {init: activations}\n" in tuned_file("mam", "xsum", init)


def test_a_folder_without_records_says_what_to_type(tmp_path: Path):
    with pytest.raises(RecordError, match=r"python sweep\.py"):
        runs(tmp_path)
