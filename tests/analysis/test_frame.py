"""Which numbers of a record become its row's `dev` and `test`."""

from pathlib import Path

import pytest

from unidelta.analysis.frame import headline, runs
from unidelta.errors import RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore


def written(root: Path, task: str, metrics: dict, *, scale: str = "paper", test_split: str | None = None) -> None:
    at = {"task": task, "method": "mam", "position": "both", "seed": 1, "scale": scale, "source": "hub"}
    splits = {"eval_split": "validation", "test_split": test_split, "max_eval_examples": 1600}
    training = {"learning_rate": 1e-4, "max_steps": 10}
    record = RunRecord(
        run_id=f"run-{task}",
        status="complete",
        coordinates=at,
        spec={"task": splits, "design": {}, "training": training},
        parameters={"percent_matrices": 6.7, "trained": 10},
        metrics=metrics,
        cost={"seconds": 1.0},
        provenance={},
    )
    RecordStore(root=root).write(record)


def test_the_headline_of_translation_is_the_papers_bleu_at_its_scale_only():
    assert [headline("wmt_en_ro", scale) for scale in ("paper", "mini")] == ["bleu_romanian", "bleu"]
    assert {headline(task, "paper") for task in ("mnli", "sst2")} == {"accuracy"}
    assert headline("xsum", "paper") == headline("xsum", "mini") == "rouge2"


def test_two_kinds_of_bleu_are_never_in_one_table(tmp_path: Path):
    scores = {"validation": {"loss": 1.0}, "test": {"bleu": 27.0, "bleu_romanian": 37.0}}
    for scale in ("mini", "paper"):
        written(tmp_path, "wmt_en_ro", scores, scale=scale, test_split="test")
    with pytest.raises(RecordError, match="wmt_en_ro has bleu and bleu_romanian, which do not compare"):
        runs(tmp_path)
    assert runs(tmp_path, scale="paper")["test"].tolist() == [37.0]
    assert runs(tmp_path, scale="mini")["test"].tolist() == [27.0]


def test_without_a_test_split_dev_is_what_chose_the_step_and_test_the_whole(tmp_path: Path):
    part, whole = {"accuracy": 87.4, "loss": 0.4, "n": 1600}, {"accuracy": 86.9, "loss": 0.5, "n": 9815}
    mismatched = {"accuracy": 86.5}
    written(tmp_path, "mnli", {"validation": whole, "validation[:1600]": part, "validation_mismatched": mismatched})
    written(tmp_path, "sst2", {"validation": {"accuracy": 94.0, "loss": 0.2, "n": 872}})
    frame = runs(tmp_path).set_index("task")
    assert frame.loc["mnli", ["dev", "dev_loss", "test", "mismatched"]].tolist() == [87.4, 0.4, 86.9, 86.5]
    assert frame.loc["sst2", ["dev", "dev_loss", "test"]].tolist() == [94.0, 0.2, 94.0]
