"""A killed, stopped or failed run: the same command resumes it, with the results of an uninterrupted run."""

import fcntl
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from unidelta.errors import AlreadyRunning, IntegrityError
from unidelta.records.lock import locked
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore
from unidelta.records.strict_json import canonical

from ..outcome import outcome

ROOT = Path(__file__).parents[2]
Do = Callable[..., RunRecord]
SST2 = (
    "method=mam task=sst2 backbone.dropout=0.1 backbone.attention_dropout=0.1 training.progress=false "
    "training.max_steps=48 training.eval_every=5 training.save_every_minutes=0 training.label_smoothing=0.1 "
    "task.max_train_examples=100 task.max_eval_examples=8 task.max_test_examples=8"
)
LIMITS = ("task.max_eval_examples=8", "task.max_test_examples=8")  # as in `do`
# batches of tokens, passes accumulated, evaluations at the end of epochs
EN_RO = (
    "method=lora task=wmt_en_ro backbone.dropout=0.1 training.progress=false training.max_steps=null "
    "training.epochs=3 training.evaluate_each_epoch=true training.max_tokens=120 training.accumulation=2 "
    "training.save_every_minutes=0 task.max_train_examples=48 task.max_eval_examples=4 task.max_test_examples=2"
)


UNPINNED = "import sys, torch; sys.argv[0] = 'train.py'; from unidelta.cli.train import main; main()"
"""train.py with the kernels of this process: it pins none where torch is imported already (`run.hardware`)."""


def start(typed: str, results: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", UNPINNED, *typed.split(), f"results_dir={results}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def wait_for_lines(process: subprocess.Popen[str], results: Path, n: int) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.read_bytes().count(b"\n") >= n for path in results.glob("mini/*/*.history.jsonl")):
            return
        time.sleep(0.002)
    raise AssertionError(f"The run never had {n} entries: {process.communicate()}")


def kill_and_resume(typed: str, results: Path, do: Do, *, at: int) -> RunRecord:
    process = start(typed, results)
    wait_for_lines(process, results, at)
    process.kill()
    process.communicate()
    assert not RecordStore(root=results).read_all().records
    record = do(*typed.split(), f"results_dir={results}")
    assert list(results.rglob("*.checkpoints")) == list(results.rglob("*.lock")) == []
    return record


@pytest.mark.slow  # tests/faults kills runs in the default tier
def test_a_killed_run_goes_on_to_the_same_bits(do: Do, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert do(*SST2.split(), f"results_dir={whole}").cost["resumed"] == 0
    record = kill_and_resume(SST2, broken, do, at=13)
    assert (record.status, record.cost["resumed"], record.cost["steps"]) == ("complete", 1, 48)
    assert outcome(broken) == outcome(whole)


@pytest.mark.slow
@pytest.mark.parametrize("typed", [SST2, EN_RO], ids=["sst2", "en-ro"])
def test_runs_killed_at_random_steps_go_on_to_the_same_bits(typed: str, do: Do, tmp_path: Path) -> None:
    do(*typed.split(), f"results_dir={tmp_path / 'whole'}")
    whole = outcome(tmp_path / "whole")
    for i, at in enumerate(random.Random(0).sample(range(2, len(whole["history"]) - 1), 5)):
        record = kill_and_resume(typed, tmp_path / str(i), do, at=at)
        assert record.cost["resumed"] == 1, at
        assert outcome(tmp_path / str(i)) == whole, at


@pytest.mark.slow  # in the default tier, tests/training stops after any step and handles each signal
def test_a_run_that_is_told_to_stop_saves_itself_and_says_so(do: Do, tmp_path: Path) -> None:
    whole, results = tmp_path / "whole", tmp_path / "stopped"
    typed = SST2.replace("save_every_minutes=0", "save_every_minutes=null")
    do(*typed.split(), f"results_dir={whole}")
    process = start(typed, results)
    wait_for_lines(process, results, 4)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75, said
    assert said.startswith("Stopped by SIGTERM after step ") and said.endswith("the same command resumes the run.\n")
    (record,) = RecordStore(root=results).read_all().records
    assert record.status == "interrupted"
    assert record.reason == said.strip()
    record = do(*typed.split(), f"results_dir={results}")
    assert (record.status, record.cost["resumed"]) == ("complete", 1)
    assert outcome(results) == outcome(whole)


@pytest.mark.slow
def test_a_run_continues_on_another_machine_and_its_record_says_so(do: Do, tmp_path: Path, capsys, monkeypatch) -> None:
    """More threads, and a GPU that is not here as what the checkpoint was made on."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # else the miniature decides itself
    process = start(SST2, tmp_path)
    wait_for_lines(process, tmp_path, 9)
    process.kill()
    process.communicate()
    (newest, *_) = sorted(tmp_path.rglob("step-*"), key=lambda folder: -int(folder.name.split("-")[1]))
    manifest = json.loads((newest / "manifest.json").read_text())
    manifest["machine"]["device"] = "NVIDIA of elsewhere"
    del manifest["sha256"]
    manifest["sha256"] = hashlib.sha256(canonical(manifest).encode()).hexdigest()
    (newest / "manifest.json").write_text(canonical(manifest))
    n_threads = torch.get_num_threads()
    torch.set_num_threads(n_threads + 1)
    try:
        with pytest.raises(IntegrityError) as refusal:
            do(*SST2.split(), f"results_dir={tmp_path}")
        assert refusal.value.instead.startswith("resume=any") and newest.is_dir()
        record = do(*SST2.split(), f"results_dir={tmp_path}", "resume=any")
    finally:
        torch.set_num_threads(n_threads)
    assert (record.status, record.cost["resumed"], record.cost["steps"]) == ("complete", 1, 48)
    (change,) = record.provenance["resumed_with"]
    assert change["step"] == int(newest.name.split("-")[1])
    assert change["device"] == ["NVIDIA of elsewhere", "cpu"] and change["threads"] == [1, n_threads + 1]
    assert "was made with device NVIDIA of elsewhere" in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_whose_terminal_closes_saves_itself(do: Do, tmp_path: Path) -> None:
    """As when an ssh connection breaks: SIGHUP, and nothing can be written to the terminal from then on."""
    typed = SST2.replace("save_every_minutes=0", "save_every_minutes=null").replace("progress=false", "progress=true")
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "train.py", *typed.split(), f"results_dir={tmp_path}"],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    deadline = time.monotonic() + 120
    while not any(path.read_bytes().count(b"\n") >= 4 for path in tmp_path.glob("mini/*/*.history.jsonl")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.002)
    os.close(ours)
    assert process.wait(timeout=60) == 75
    (record,) = RecordStore(root=tmp_path).read_all().records
    assert record.status == "interrupted" and str(record.reason).startswith("Stopped by SIGHUP after step ")
    assert list(tmp_path.rglob("step-*/manifest.json"))


def test_a_run_that_another_process_does_is_left_alone(do: Do, tmp_path: Path) -> None:
    results = tmp_path / "runs"
    few = ("method=bitfit", "task=sst2", "training.max_steps=1", f"results_dir={results}")
    record = do(*few)
    files = RecordStore(root=results).files_of(record)
    before = files.record.read_bytes()
    with locked(files.lock):
        with pytest.raises(AlreadyRunning, match=rf"already running \(pid {os.getpid()}\)"):
            do(*few, "force=true")
        process = start(f"{' '.join(few[:-1])} training.progress=false {' '.join(LIMITS)} force=true", results)
        _, said = process.communicate(timeout=120)
    assert (process.returncode, said.split(" (")[0]) == (75, "This run is already running")
    assert files.record.read_bytes() == before


def test_a_damaged_record_is_set_aside_where_a_run_wants_to_write(do: Do, tmp_path: Path, capsys) -> None:
    few = ("method=bitfit", "task=sst2", "training.max_steps=1", f"results_dir={tmp_path}")
    record = do(*few)
    path = RecordStore(root=tmp_path).files_of(record).record
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    again = do(*few)
    assert again.metrics == record.metrics
    assert path.with_name(f"{path.name}.corrupt").read_bytes() == whole[:-40]
    assert f"set aside as {path.name}.corrupt" in capsys.readouterr().out


def test_a_fault_of_the_program_leaves_a_failed_record_and_never_in_place_of_a_complete_one(
    do: Do, tmp_path: Path, monkeypatch
) -> None:
    few = ("method=bitfit", "task=sst2", "training.max_steps=1", f"results_dir={tmp_path}")

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the optimiser\nis broken")

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", fail)
        with pytest.raises(RuntimeError, match="is broken"):
            do(*few)
    (record,) = RecordStore(root=tmp_path).read_all().records
    assert (record.status, record.reason) == ("failed", "RuntimeError: the optimiser is broken")
    assert record.provenance["device"] == ("cpu" if not torch.cuda.is_available() else torch.cuda.get_device_name())
    assert record.provenance["tracking"]["kind"] == "none"
    assert do(*few).status == "complete"
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", fail)
        with pytest.raises(RuntimeError, match="is broken"):
            do(*few, "force=true")
    (record,) = RecordStore(root=tmp_path).read_all().records
    assert record.status == "complete"
