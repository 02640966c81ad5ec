"""Whole runs on local files and the miniature: record, predictions, identity, repetition."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from unidelta.errors import BackboneError
from unidelta.mini import rows
from unidelta.records.record import RunRecord, to_json
from unidelta.tasks.__main__ import score
from unidelta.tasks.metrics.rouge import ROUGE

Do = Callable[..., RunRecord]
TASKS = {"xsum": "bart", "wmt_en_ro": "mbart", "mnli": "roberta", "sst2": "bert"}
METHODS = (
    "full bitfit prompt prefix adapter adapter_houlsby adapter_pfeiffer lora parallel_adapter "
    "multihead_parallel_adapter scaled_parallel_adapter prefix_lora parallel_adapter_both mam"
).split()


def history(record: RunRecord, tmp_path: Path) -> list[dict[str, float]]:
    at = record.coordinates
    path = tmp_path / "runs" / at["scale"] / at["task"] / f"{record.run_id}.history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("task", TASKS)
def test_a_local_run_leaves_a_record_with_every_split(task: str, do: Do, data, checkpoint, tmp_path: Path):
    local = (f"task={task}", f"backbone={TASKS[task]}", "task.source=local", f"task.path={data(task)}")
    plan = tmp_path / "plan.json"
    plan.write_text("{}", encoding="utf-8")
    record = do("method=mam", *local, f"backbone.checkpoint={checkpoint(TASKS[task])}", f"plan={plan}")
    assert record.provenance["plan"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    assert record.status == "complete"
    splits = {split for split, values in record.metrics.items() if isinstance(values, dict)}
    wanted = {"xsum": {"validation", "test"}, "wmt_en_ro": {"validation", "test"}, "sst2": {"validation"}}
    assert splits == wanted.get(task, {"validation_matched", "validation_mismatched"})
    assert len(history(record, tmp_path)) >= 3
    assert record.spec["data"].keys() == splits | {"train"}
    assert record.spec["backbone"]["checkpoint"].startswith("sha256:")


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_on_every_task(method: str, task: str, do: Do, tmp_path: Path):
    if method == "prompt" and task in ("mnli", "sst2"):
        pytest.skip("refused: see test_bad_input")
    record = do(f"method={method}", f"task={task}", "task.max_eval_examples=8", "task.max_test_examples=8")
    assert record.status == "complete"
    assert all(math.isfinite(entry["loss"]) for entry in history(record, tmp_path) if "loss" in entry)


def test_the_same_run_twice_is_done_once_and_forced_again(do: Do, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    few = ("method=bitfit", "task=sst2")
    first = do(*few)
    capsys.readouterr()
    assert to_json(do(*few)) == to_json(first)
    assert "done already" in capsys.readouterr().out
    before = [entry["loss"] for entry in history(first, tmp_path) if "loss" in entry]
    again = do(*few, "force=true")
    assert again.run_id == first.run_id
    # bit-equal: the seed decides everything
    assert before == [entry["loss"] for entry in history(again, tmp_path) if "loss" in entry]
    assert again.metrics == first.metrics


def test_a_finished_run_says_that_another_score_is_its_headline(do: Do, capsys: pytest.CaptureFixture[str]):
    few = ("method=bitfit", "task=sst2", "training.max_steps=1", "task.max_eval_examples=8", "task.select_by=loss")
    first = do(*few, "task.metrics=[matthews,accuracy]")
    for typed, said in (("[accuracy,matthews]", True), ("[matthews,accuracy]", False)):
        capsys.readouterr()
        assert do(*few, f"task.metrics={typed}").run_id == first.run_id
        told = "Its score in tables is matthews" in (shown := capsys.readouterr().out)
        assert "done already" in shown and told is said
        assert ("--metric accuracy" in shown) is said


def test_predictions_on_the_reported_split_lie_beside_the_record(do: Do, tmp_path: Path):
    record = do("method=bitfit", "task=xsum", "task.max_eval_examples=5", "task.max_test_examples=3")
    path = tmp_path / "runs" / "mini" / "xsum" / f"{record.run_id}.predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted(line["split"] for line in lines) == ["test"] * 3
    named = {"split", "index", "prediction", "reference", "raw_reference"}
    assert all(line.keys() == named | set(ROUGE.keys) for line in lines)
    for key in ROUGE.keys:
        assert sum(line[key] for line in lines) / 3 == pytest.approx(record.metrics["test"][key])
    # what is saved gives the record's numbers again, intervals included
    again, reported = score(path, [ROUGE]), record.metrics["test"]
    assert again["test"] == {key: value for key, value in reported.items() if key not in ("loss", "parts")}
    assert reported["interval95"].keys() == {f"{raw}{key}" for raw in ("", "raw_") for key in ROUGE.keys}
    assert all(low <= reported[key] <= high for key, (low, high) in reported["interval95"].items())


def test_references_are_cut_where_labels_are_and_raw_ones_are_not(do: Do, tmp_path: Path):
    record = do("method=bitfit", "task=xsum", "task.max_test_examples=3", "task.eval_max_target_length=5")
    path = tmp_path / "runs" / "mini" / "xsum" / f"{record.run_id}.predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    reported = [line for line in lines if line["split"] == "test"]
    assert [line["raw_reference"] for line in reported] == [row["summary"] for row in rows("xsum", "test")[:3]]
    assert all(len(line["reference"]) < len(line["raw_reference"]) for line in reported)


def test_where_dev_is_reported_it_is_whole_and_its_first_rows_choose_the_step(
    do: Do, data, checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    local = ("task=mnli", "backbone=roberta", "task.source=local", f"task.path={data('mnli')}")
    limits = ("task.max_eval_examples=16", "task.max_test_examples=null")
    record = do("method=bitfit", *local, *limits, f"backbone.checkpoint={checkpoint('roberta')}")
    splits = {split: values for split, values in record.metrics.items() if isinstance(values, dict)}
    n = {"validation_matched": 80, "validation_matched[:16]": 16, "validation_mismatched": 80}
    assert {split: values["n"] for split, values in splits.items()} == n
    path = tmp_path / "runs" / "mini" / "mnli" / f"{record.run_id}.predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    right = [line["prediction"] == line["reference"] for line in lines if line["split"] == "validation_matched"]
    assert splits["validation_matched"]["accuracy"] == pytest.approx(100 * sum(right) / 80)
    assert splits["validation_matched[:16]"]["accuracy"] == pytest.approx(100 * sum(right[:16]) / 16)
    chosen = [entry for entry in history(record, tmp_path) if "eval_accuracy" in entry][-1]
    assert splits["validation_matched[:16]"]["accuracy"] == pytest.approx(chosen["eval_accuracy"])
    assert splits["validation_matched[:16]"]["loss"] == pytest.approx(chosen["eval_loss"], rel=1e-4)
    assert "validation_matched[:16]" in capsys.readouterr().out


def damage(folder: Path, target: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, target / "model.safetensors", metadata={"format": "pt"})
    return target


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("bert.encoder.layer.0.output.dense.weight"), "1 tensors are missing"),
        (lambda state: state["bert.encoder.layer.0.output.dense.weight"].fill_(float("nan")), "not finite"),
        (
            lambda state: state.update({"bert.embeddings.LayerNorm.weight": torch.ones(3)}),
            "tensors have another shape",
        ),
    ],
)
def test_a_damaged_checkpoint_is_refused(change, said: str, do: Do, checkpoint, tmp_path: Path):
    folder = damage(checkpoint("bert"), tmp_path / "damaged", change)
    with pytest.raises(BackboneError, match=said):
        do("method=mam", "task=sst2", "backbone=bert", f"backbone.checkpoint={folder}")
    assert not list((tmp_path / "runs").rglob("*.json"))


def test_a_truncated_checkpoint_is_refused(do: Do, checkpoint, tmp_path: Path):
    folder = damage(checkpoint("bert"), tmp_path / "cut", lambda state: None)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackboneError, match="undamaged checkpoint"):
        do("method=mam", "task=sst2", "backbone=bert", f"backbone.checkpoint={folder}")


def test_a_diverged_run_names_only_files_that_are_there(do, tmp_path: Path, capsys) -> None:
    typed = "method=full task=sst2 training.learning_rate=1000 training.schedule=constant training.max_grad_norm=1e9"
    assert do(*typed.split(), "training.max_steps=60").status == "diverged"
    named = [Path(word) for word in capsys.readouterr().out.split() if word.startswith(str(tmp_path))]
    assert named and all(path.exists() for path in named)
