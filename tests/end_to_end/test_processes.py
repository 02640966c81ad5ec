"""`torchrun train.py …`: several processes give the same run as one, and fail together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW = (
    "backbone.dropout=0 backbone.attention_dropout=0 training.progress=false training.max_steps=4 "
    "task.max_train_examples=42 task.max_eval_examples=5 task.max_test_examples=3 save_deltas=false"
).split()
TWO = ["-m", "torch.distributed.run", "--nproc_per_node", "2"]
# what is typed: passes of a step divided, examples of a pass divided, batches of tokens
CASES = {
    "passes": "method=mam task=xsum training.batch_size=6 training.accumulation=2 training.label_smoothing=0.1",
    "examples": "method=mam task=sst2 training.batch_size=6 training.eval_every=2",
    "tokens": "method=mam task=wmt_en_ro training.max_tokens=100 training.accumulation=2 training.static_batches=true "
    "training.loss_normalisation=micro_batches",
    "nothing is tuned": "method=frozen task=sst2",
}


def start(typed: list[str], results: Path, *, launcher: list[str]) -> subprocess.Popen[str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, "train.py", *typed, "tracking=none", f"results_dir={results}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def start_nodes(typed: list[str], results: Path, *, n: int) -> list[subprocess.Popen[str]]:
    """As many machines of one process each, all of them this one: a torchrun for each, as people start them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rendezvous = ["--nnodes", str(n), "--nproc_per_node", "1", "--master_addr", "127.0.0.1", "--master_port", str(port)]
    nodes = [["-m", "torch.distributed.run", *rendezvous, "--node_rank", str(rank)] for rank in range(n)]
    return [start(typed, results, launcher=node) for node in nodes]


def files(results: Path, suffix: str) -> list[Path]:
    return sorted(path for path in results.rglob(f"*{suffix}") if path.name.count(".") == suffix.count("."))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_two_processes_do_the_run_of_one(case: str, tmp_path: Path) -> None:
    histories, records, printed = [], [], []
    for n, launcher in ((1, []), (2, TWO)):
        of_training = ("training.max_steps", "backbone.")  # which nothing reads where nothing trains
        few = [word for word in FEW if "method=frozen" not in CASES[case] or not word.startswith(of_training)]
        process = start([*CASES[case].split(), *few], tmp_path / str(n), launcher=launcher)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        (record,) = files(tmp_path / str(n), ".json")
        (history,) = files(tmp_path / str(n), ".history.jsonl")
        records.append(json.loads(record.read_text(encoding="utf-8")))
        histories.append([json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()])
        printed.append(out.splitlines())
    one, two = records
    assert (one["cost"]["processes"], two["cost"]["processes"]) == (1, 2)
    assert (one["run_id"], one["spec"]) == (two["run_id"], two["spec"])
    assert len(printed[0]) == len(printed[1])  # the first process alone prints
    assert len(histories[0]) == len(histories[1])
    for entries in zip(*histories, strict=True):
        # Where passes do not divide evenly, fillers count in the trainer's fraction of an epoch.
        for name in entries[0].keys() - {"eval_seconds", "epoch"}:
            assert entries[1][name] == pytest.approx(entries[0][name], rel=1e-5, abs=1e-5)
    for name in ("batches_per_epoch", "tokens_per_batch", "steps", "best_step"):
        assert one["cost"][name] == two["cost"][name]
    for split, values in one["metrics"].items():
        if not split.endswith("signature"):
            (*same, numbers), (*others, wanted) = (
                (scores.pop("interval95", {}), scores.pop("parts", {}), scores)
                for scores in (two["metrics"][split], values)
            )
            assert numbers == pytest.approx(wanted, rel=1e-4)
            assert same == others  # of the same outputs


@pytest.mark.slow
def test_two_machines_do_the_run_of_one(tmp_path: Path) -> None:
    typed = [*CASES["examples"].split(), *FEW]
    ends = [node.communicate(timeout=300) for node in start_nodes(typed, tmp_path / "nodes", n=2)]
    alone = start(typed, tmp_path / "alone", launcher=[])
    assert alone.communicate(timeout=300)[1] == ""
    lines = [line for _, err in ends for line in err.splitlines()]
    assert not [line for line in lines if "Error" in line and not line.startswith("[W")]  # the store's end, of torch
    content = {}
    for name in ("nodes", "alone"):
        (record,), (history,) = files(tmp_path / name, ".json"), files(tmp_path / name, ".history.jsonl")
        content[name] = json.loads(record.read_text()), [json.loads(line) for line in history.read_text().splitlines()]
    (two, entries), (one, expected) = content["nodes"], content["alone"]
    assert (two["status"], two["cost"]["processes"], two["run_id"]) == ("complete", 2, one["run_id"])
    assert len(entries) == len(expected)
    for mine, theirs in zip(entries, expected, strict=True):
        for name in mine.keys() - {"eval_seconds", "epoch"}:
            assert mine[name] == pytest.approx(theirs[name], rel=1e-5, abs=1e-5)


@pytest.mark.slow
def test_a_request_that_two_processes_cannot_share_is_told_once(tmp_path: Path) -> None:
    process = start(["training.batch_size=5", "training.accumulation=3", *FEW], tmp_path, launcher=TWO)
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert err.count("You asked:  2 processes with training.accumulation=3 and training.batch_size=5") == 1
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.slow
def test_when_one_process_dies_the_other_ends_soon(tmp_path: Path) -> None:
    typed = ["method=bitfit", "task=sst2", *FEW, "training.max_steps=100000"]
    process = start(typed, tmp_path, launcher=TWO)
    workers: list[int] = []
    deadline = time.monotonic() + 60
    while len(workers) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [int(child) for child in children]
    time.sleep(20)  # by now they train
    os.kill(workers[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Signal 9 (SIGKILL)" in err
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
