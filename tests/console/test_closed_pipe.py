"""Output to a closed pipe: every command ends as usual, without a message."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FEW = "task.max_train_examples=8 task.max_eval_examples=4 task.max_test_examples=4 training.max_steps=2"
COMMANDS = {
    "train.py --info all": 0,
    "train.py --cfg job method=mam": 0,
    "train.py --help": 0,
    "train.py method=mam task=xsum dry_run=true": 0,
    "train.py method=nothing": 2,
    "sweep.py table2 --list": 0,
    "sweep.py nothing": 2,
    "report.py table3 --output {tmp}": 0,
    "-m unidelta.mini sample sst2 -n 5": 0,
    "-m unidelta.tasks score nothing.jsonl --task sst2": 2,
    "-m unidelta.fidelity counts": 0,
    "-m unidelta --help": 0,
    "-m unidelta nothing": 2,
    "-m unidelta.config.design_space": 0,
    "-m unidelta.analysis.tuning": 0,
    "-m unidelta.analysis.published": 0,
    "-m unidelta.check form nothing": 2,
    "-u -m unidelta.mini sample xsum": 0,
}
FIRST = ("train.py --info all", "train.py method=nothing", "sweep.py nothing", "report.py table3 --output {tmp}")
FIRST += ("-m unidelta --help",)


def ended(command: str, *, reads: str) -> tuple[int, bytes]:
    """Status and what can still be read, of a command whose other stream is a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.PIPE, "stderr": writer, reads: subprocess.PIPE}
    streams |= {"stdout": writer} if reads == "stderr" else {}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *command.split()], cwd=ROOT, env=environment, **streams, timeout=120)
    os.close(writer)
    return done.returncode, getattr(done, reads)


@pytest.mark.parametrize(
    "command",
    [pytest.param(command, marks=() if command in FIRST else pytest.mark.slow) for command in COMMANDS],
)
def test_nobody_reads_standard_output(command: str, tmp_path: Path) -> None:
    status, said = ended(command.format(tmp=tmp_path), reads="stderr")
    assert (status, said.startswith(b"You asked:")) == (COMMANDS[command], COMMANDS[command] == 2)
    assert b"Traceback" not in said and b"Broken" not in said


def test_nobody_reads_standard_error() -> None:
    assert ended("train.py method=nothing", reads="stdout") == (2, b"")


@pytest.mark.slow
def test_a_run_goes_on_and_is_recorded(tmp_path: Path) -> None:
    command = f"train.py method=bitfit task=sst2 tracking=none results_dir={tmp_path} {FEW}"
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, env=environment, stdout=writer, stderr=writer, timeout=120
    )
    os.close(writer)
    (record,) = tmp_path.glob("mini/sst2/*.json")
    assert (done.returncode, json.loads(record.read_text())["status"]) == (0, "complete")
