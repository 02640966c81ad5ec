"""Checks of jobs before the first one starts: their state and their mistakes, quickly."""

from pathlib import Path

import pytest

from unidelta.backbones.shipped import BACKBONES
from unidelta.config.compose import compose
from unidelta.errors import Problems, UserError
from unidelta.extensions.paths import CONF
from unidelta.records.identity import run_id
from unidelta.run.identity import identity
from unidelta.run.run import run
from unidelta.sweeps.plan import Job, jobs
from unidelta.sweeps.planned import Planned, first_of_each_run, plan, prepared
from unidelta.tasks import fingerprint, load_all

from ..composed import composed

FEW = "method=frozen task=sst2 task.max_train_examples=4 task.max_eval_examples=4 task.max_test_examples=4"


def planned_of(jobs: list[Job]) -> list[Planned]:
    return plan(prepared(jobs))


def test_a_job_is_done_when_its_record_is_complete_and_a_second_saying_of_it_is_none(tmp_path: Path):
    trained = FEW.replace("frozen", "full training.max_steps=1")
    words = f"{trained} results_dir={tmp_path} training.progress=false tracking=none"
    record = run(composed([*words.split(), "seed=2"]), command=["train.py"])
    assert record is not None
    planned = first_of_each_run(planned_of([*jobs([f"{words} seed=1,2"]), *jobs([f"seed=2 {words}"])]))
    assert [(one.job.overrides[-1], one.state) for one in planned] == [("seed=1", "to do"), ("seed=2", "done")]
    assert planned[1].files is not None and planned[1].files.run_id == record.run_id
    for more in ("force=true", "dry_run=true", "save_model=true"):  # the last of which was not kept
        assert planned_of(jobs([f"{words} seed=2 {more}"]))[0].state == "to do"
    file = planned[1].files.record
    file.write_text(file.read_text(encoding="utf-8")[:-9], encoding="utf-8")  # the run itself sets it aside
    assert planned_of(jobs([f"{words} seed=2"]))[0].state == "to do"


def test_a_job_is_composed_as_it_is_typed():
    every = [*jobs(["method=mam task=xsum seed=1,2"]), Job(("seed=3", "method=lora", "seed=4"))]
    for job, config, spec in prepared(every):
        assert config == compose(job.overrides)
        assert spec.seed == config.seed
    # jobs that differ by their seed alone are composed once, which takes for granted that nothing follows from it
    assert not [path for path in CONF.rglob("*.yaml") if "${seed" in path.read_text(encoding="utf-8")]


def test_the_name_of_a_planned_run_is_the_name_of_the_run():
    ((job, _, spec),) = prepared(jobs([FEW]))
    (planned,) = planned_of([job])
    assert planned.spec == spec
    data = {split: fingerprint(rows) for split, rows in load_all(spec.task).items()}
    assert planned.files is not None and planned.files.run_id == run_id(
        identity(spec, data=data, weights=spec.backbone.weights.fingerprint())
    )


def test_two_names_or_spellings_of_one_run_are_one_and_other_rows_are_another(tmp_path: Path):
    (tmp_path / "same").symlink_to(BACKBONES / "bart")
    (tmp_path / "rows").mkdir()
    for split in ("train", "validation", "test"):
        (tmp_path / "rows" / f"{split}.csv").write_text("document,summary\na text,a word\n")
    rate = "training.learning_rate"
    typed = [
        f"method=scaled_parallel_adapter {rate}=0.003",
        f"method=parallel_adapter composition=scaled composition.scale=4 method.ffn.init=lora {rate}=3e-3",
        f"method=scaled_parallel_adapter {rate}=3.0e-3 results_dir=elsewhere",
        f"method=scaled_parallel_adapter {rate}=0.003 backbone.checkpoint={tmp_path / 'same'}",
        f"method=scaled_parallel_adapter {rate}=0.003 task.source=local task.path={tmp_path / 'rows'}",
        f"method=scaled_parallel_adapter {rate}=0.003 dry_run=true",
        f"method=parallel_adapter composition=scaled composition.scale=4 method.ffn.init=lora {rate}=3e-3 dry_run=true",
    ]
    every = [Job(tuple(f"{words} task=xsum".split())) for words in typed]
    assert [every.index(one.job) for one in first_of_each_run(planned_of(every))] == [0, 2, 4, 5, 6]


def test_every_mistake_of_every_job_is_told():
    with pytest.raises(Problems) as refusal:
        prepared(jobs(["method=prompt task=sst2,xsum,mnli", "method=mam training.batch_size=0", "method=mam seed=1"]))
    asked = [error.asked for error in refusal.value.errors]  # once for both classifiers
    assert len(asked) == 2 and asked[0].startswith("prompt tuning")
    assert asked[0].endswith("(job: method=prompt task=sst2 and 1 more)")
    assert asked[1] == "training.batch_size=0  (job: method=mam training.batch_size=0)"
    with pytest.raises(Problems) as refusal:  # of a mistake that every job has, no job need be named
        prepared(jobs(["method=mam,lora training.batch_size=0"]))
    assert refusal.value.asked == "training.batch_size=0"


def test_without_the_data_a_list_says_unknown_and_a_sweep_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path))
    paper = jobs(["method=mam,lora task=sst2 scale=paper"])
    assert [one.state for one in plan(prepared(paper), is_listing=True)] == ["unknown", "unknown"]
    with pytest.raises(Problems) as refusal:
        planned_of(paper)
    assert len(refusal.value.errors) == 1


def test_what_another_backbone_cannot_have_is_left_out_and_said(capsys) -> None:
    many = "method=prompt task=xsum budget=bottleneck budget.bottleneck=200000"
    words = ["method=bitfit task=xsum", "method=lora task=xsum", many]
    typed_for = ["backbone=llama", "scale=paper", "seed=1,2"]
    typed = jobs(words, typed_for)
    with pytest.raises(Problems, match="Problem 2 of 2"):
        prepared(typed)
    found = prepared(typed, leaves_out=True)
    assert [spec.method for _, _, spec in found] == ["lora", "lora"]
    said = capsys.readouterr().err
    assert said.count("Left out") == 2 and many in said and "the longest input, 131072" in said
    rates = ",".join(f"{n}e-4" for n in range(1, 5))
    prepared(jobs([f"method=bitfit,lora task=xsum training.learning_rate={rates}"], typed_for), leaves_out=True)
    said = capsys.readouterr().err
    assert said.count("\n") == 2 and "training.learning_rate=0.0001" in said and ", and 3 more\n" in said
    wrong = jobs(words, ["backbone=llama", "scale=paper", "training.batch_size=0"])
    with pytest.raises(UserError, match="batch_size=0"):
        prepared(wrong, leaves_out=True)
    with pytest.raises(UserError, match="none of them exists on this backbone"):
        prepared(jobs(words[:1], ["backbone=llama", "scale=paper"]), leaves_out=True)
