"""Which numbers of a record become its row's `dev` and `test`."""

from pathlib import Path

import pytest

from unidelta.analysis.frame import every_run, runs
from unidelta.errors import Problems, RecordError
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore


def written(
    root: Path, task: str, metrics: dict, *, scale: str = "paper", test_split: str | None = None, **at: str
) -> None:
    at = {"metric": {"xsum": "rouge2", "wmt_en_ro": "bleu_romanian"}.get(task, "accuracy"), **at}
    at = {
        "task": task,
        "backbone": "mini",
        "method": "mam",
        "position": "both",
        "seed": 1,
        "scale": scale,
        "source": "hub",
        **at,
    }
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


def test_a_task_of_a_users_own_has_its_headline_and_a_column_for_each_of_its_scores(tmp_path: Path):
    scores = {"loss": 2.0, "n": 9, "chrf": 51.5, "ter": 40.0, "raw_chrf": 50.0, "interval95": {"chrf": [50.0, 53.0]}}
    written(tmp_path, "menus", {"validation": {"chrf": 49.0}, "test": scores}, test_split="test", metric="chrf")
    written(tmp_path, "sst2", {"validation": {"accuracy": 94.0}})
    for frame in (every_run(tmp_path), runs(tmp_path)):
        row = frame.set_index("task").loc["menus"]
        assert (row["metric"], row["dev"], row["test"], row["chrf"], row["ter"]) == ("chrf", 49.0, 51.5, 51.5, 40.0)
        assert frame.set_index("task")["chrf"].isna().tolist() == [False, True]
        assert frame["accuracy"].dtype == frame["ter"].dtype == float
        assert not {"raw_chrf", "loss", "n", "interval95"} & set(frame.columns)


def test_a_run_has_the_name_of_its_backbone(tmp_path: Path):
    for task, backbone in (("xsum", "bart-large"), ("menus", "my-checkpoint")):
        written(tmp_path, task, {"test": {"rouge2": 1.0}}, test_split="test", metric="rouge2", backbone=backbone)
    expected = {"xsum": "bart-large", "menus": "my-checkpoint"}
    for frame in (every_run(tmp_path), runs(tmp_path)):
        assert frame.set_index("task")["backbone"].to_dict() == expected


def test_a_folder_without_runs_is_answered_with_one_that_has_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written(tmp_path / "made", "xsum", {})
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "train.json").write_text("[]", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    usual, made = "a folder with records of runs, such as `results`", str(tmp_path / "made")
    for folder, instead in {"rows": usual, ".": None, "made/paper": made, "made/paper/xsum": made}.items():
        if instead is None:
            assert len(every_run(Path(folder))) == 1
            continue
        with pytest.raises(RecordError) as caught:
            every_run(Path(folder))
        assert caught.value.instead == instead


def test_a_score_of_any_name_that_is_no_number_is_refused(tmp_path: Path):
    written(tmp_path, "menus", {"test": {"ter": float("nan"), "loss": float("inf")}}, test_split="test", metric="ter")
    with pytest.raises(Problems, match=r"metrics\.test\.ter is nan"):
        runs(tmp_path)


def test_two_kinds_of_bleu_are_never_in_one_table(tmp_path: Path):
    scores = {"validation": {"loss": 1.0}, "test": {"bleu": 27.0, "bleu_romanian": 37.0}}
    for scale, metric in (("mini", "bleu"), ("paper", "bleu_romanian")):
        written(tmp_path, "wmt_en_ro", scores, scale=scale, test_split="test", metric=metric)
    with pytest.raises(RecordError, match="wmt_en_ro has bleu and bleu_romanian, which do not compare"):
        runs(tmp_path)
    assert every_run(tmp_path)["test"].tolist() == [27.0, 37.0]


def test_without_a_test_split_dev_is_what_chose_the_step_and_test_the_whole(tmp_path: Path):
    part, whole = {"accuracy": 87.4, "loss": 0.4, "n": 1600}, {"accuracy": 86.9, "loss": 0.5, "n": 9815}
    mismatched = {"accuracy": 86.5}
    written(tmp_path, "mnli", {"validation": whole, "validation[:1600]": part, "validation_mismatched": mismatched})
    written(tmp_path, "sst2", {"validation": {"accuracy": 94.0, "loss": 0.2, "n": 872}})
    frame = runs(tmp_path).set_index("task")
    assert frame.loc["mnli", ["dev", "dev_loss", "test", "mismatched"]].tolist() == [87.4, 0.4, 86.9, 86.5]
    assert frame.loc["sst2", ["dev", "dev_loss", "test"]].tolist() == [94.0, 0.2, 94.0]


@pytest.mark.parametrize("below", ["mini", "mini/menus"])
def test_a_folder_of_one_scale_or_task_is_answered_with_the_one_above(tmp_path: Path, below: str):
    written(tmp_path, "menus", {"test": {"ter": 20.0}}, scale="mini", test_split="test", metric="ter")
    with pytest.raises(RecordError) as refusal:
        every_run(tmp_path / below)
    assert refusal.value.instead == str(tmp_path) and len(every_run(tmp_path)) == 1
