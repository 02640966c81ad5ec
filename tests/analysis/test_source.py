"""Which runs a report reads, and which it refuses to combine."""

from dataclasses import replace
from pathlib import Path

import pytest

from unidelta.analysis.source import read
from unidelta.errors import RecordError, UserError


def refused(folder: Path, scale="mini") -> str:
    with pytest.raises(UserError) as caught:
        read(str(folder), scale=scale)
    return str(caught.value)


def test_runs_are_found_by_what_they_tune(run_of, stored):
    folder = stored(*(run_of("full", seed, 80.0 + seed) for seed in (3, 1, 2)), run_of("prefix", 1, 70.0))
    score = read(str(folder), scale="mini").score("full_ft", "xsum", "R2")
    assert (score.seeds, score.values) == ((1, 2, 3), (81.0, 82.0, 83.0))
    assert read(str(folder), scale="mini").score("prefix@200", "xsum", "R2").values == (70.0,)
    assert read(str(folder), scale="mini").score("prefix@30", "xsum", "R2").n == 0


def test_folders_below_are_read_too_and_a_run_in_two_counts_once(run_of, stored):
    stored(run_of("full", 1, 80.0), run_of("full", 2, 81.0), into="all/first")
    folder = stored(run_of("full", 2, 81.0), into="all/second").parent
    assert read(str(folder), scale="mini").score("full_ft", "xsum", "R2").seeds == (1, 2)


@pytest.mark.parametrize("first", ["interrupted", "complete"])
def test_of_two_copies_of_a_run_the_complete_one_counts(run_of, stored, first: str):
    """A run was stopped on one machine and resumed on another."""
    statuses = ("interrupted", "complete") if first == "interrupted" else ("complete", "interrupted")
    for folder, status in zip("ab", statuses, strict=True):
        stored(run_of("full", 1, 80.0, status=status, reason=None), into=f"all/{folder}")
    score = read(str(stored(run_of("full", 2, 81.0), into="all/c").parent), scale="mini").score("full_ft", "xsum", "R2")
    assert (score.values, score.n_interrupted) == ((80.0, 81.0), 0)


def test_runs_that_did_not_complete_are_counted_and_in_no_mean(run_of, stored):
    folder = stored(
        run_of("full", 1, 80.0),
        run_of("full", 2, 99.0, status="diverged", reason="loss is nan"),
        run_of("full", 3, 99.0, status="failed", reason="out of memory"),
        run_of("full", 4, 99.0, status="interrupted", reason="stopped"),
    )
    score = read(str(folder), scale="mini").score("full_ft", "xsum", "R2")
    assert (score.values, score.n_diverged, score.n_failed, score.n_interrupted) == ((80.0,), 1, 1, 1)


def test_scales_are_never_mixed(run_of, stored):
    paper = run_of("full", 1, 21.0)
    paper = replace(paper, coordinates={**paper.coordinates, "scale": "paper"}, run_id="0" * 16)
    folder = stored(run_of("full", 1, 80.0), paper)
    assert read(str(folder), scale="mini").frame["scale"].unique().tolist() == ["mini"]
    assert read(str(folder), scale="paper").frame["scale"].unique().tolist() == ["paper"]


def test_runs_of_two_settings_are_not_averaged(run_of, stored):
    other = run_of("full", 2, 81.0)
    training = {**other.spec["training"], "max_steps": 800}
    other = replace(other, spec={**other.spec, "training": training})
    told = refused(stored(run_of("full", 1, 80.0), other))
    assert "the mean of full_ft on xsum" in told
    assert "differ by more than the seed: training.max_steps is " in told
    assert "200" in told and "800" in told


def test_a_key_that_came_later_makes_no_other_setting(run_of, stored):
    """Records from before `training.max_tokens` and records with its old value are of one setting."""
    later = run_of("full", 2, 81.0)
    training = {**later.spec["training"], "max_tokens": None, "static_batches": False, "loss_normalisation": "tokens"}
    folder = stored(run_of("full", 1, 80.0), replace(later, spec={**later.spec, "training": training}))
    assert read(str(folder), scale="mini").score("full_ft", "xsum", "R2").n == 2


def test_a_run_that_diverged_in_another_setting_keeps_nobody_from_a_mean(run_of, stored):
    wild = run_of("full", 2, None, status="diverged", reason="loss is nan")
    wild = replace(wild, spec={**wild.spec, "training": {**wild.spec["training"], "learning_rate": 1e30}})
    folder = stored(run_of("full", 1, 80.0), replace(wild, run_id="e" * 16))
    score = read(str(folder), scale="mini").score("full_ft", "xsum", "R2")
    assert (score.values, score.n_diverged) == ((80.0,), 1)


def test_two_runs_of_one_seed_are_not_averaged(run_of, stored):
    one = run_of("full", 1, 80.0)
    told = refused(stored(one, replace(one, run_id="f" * 16)))
    assert "there are two runs of seed 1" in told


def test_a_score_that_is_no_number_is_named(run_of, stored):
    told = refused(stored(run_of("full", 1, 80.0), run_of("full", 2, float("nan"))))
    assert "metrics.test.rouge2 is nan" in told
    assert run_of("full", 2, 1.0).run_id in told


def test_an_infinite_loss_is_not_a_wrong_score(run_of, stored):
    record = run_of("full", 1, 80.0)
    metrics = {**record.metrics, "validation": {**record.metrics["validation"], "loss": float("inf")}}
    folder = stored(replace(record, metrics=metrics))
    assert read(str(folder), scale="mini").score("full_ft", "xsum", "R2").n == 1


def test_a_record_of_the_future_is_refused(run_of, stored):
    told = refused(stored(run_of("full", 1, 80.0), replace(run_of("full", 2, 81.0), schema_version=99)))
    assert "schema version 99" in told


def test_every_damaged_record_is_told(run_of, stored):
    folder = stored(*(run_of("full", seed, 80.0) for seed in (1, 2, 3)))
    for path in sorted(folder.rglob("*.json"))[:2]:
        path.write_text(path.read_text(encoding="utf-8").replace("complete", "completed"), encoding="utf-8")
    assert "Problem 2 of 2" in refused(folder)


def test_no_folder_and_no_records_say_what_to_name(tmp_path):
    assert "there is no such folder" in refused(tmp_path / "nowhere")
    assert "there are no records of scale paper" in refused(tmp_path, "paper")


def test_the_project_may_have_no_runs_of_a_scale_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read("records", scale="paper").score("mam@30;512", "xsum", "R2").n == 0


def test_what_a_run_keeps_beside_its_record_is_no_record(run_of, stored):
    """A run's folder has a design.json, which lies as deep below `runs/mini` as a record below `runs`."""
    record = run_of("full", 1, 80.0)
    root = stored(record)
    kept = root / "mini" / record.coordinates["task"] / record.run_id
    kept.mkdir()
    (kept / "design.json").write_text("{}")
    assert len(read(str(root), scale="mini").frame) == 1
    assert len(read(str(root.parent), scale="mini").frame) == 1
    with pytest.raises(RecordError, match="no records of scale mini"):
        read(str(root / "mini"), scale="mini")
