"""What a run computes on: a GPU by its name, and CPU kernels that are pinned before torch is loaded, and recorded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from unidelta.run.hardware import PINS, device_name, kernels
from unidelta.run.prepare import prepare

from ..composed import composed

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from unidelta.run.hardware import pin
given = dict(word.split("=") for word in sys.argv[2:])
pin(given, facts=Path(sys.argv[1]))
print(*(f"{name}={value}" for name, value in sorted(given.items())))
"""


def pinned(facts: Path, *given: str) -> dict[str, str]:
    command = [sys.executable, "-c", PROGRAM, str(facts), *given]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return dict(word.split("=") for word in done.stdout.split())


@pytest.mark.parametrize(("flags", "expected"), [("fma avx2 avx512f", PINS), ("sse4_2 avx", {}), ("avx2_like", {})])
def test_the_kernels_are_those_that_every_cpu_with_avx2_has(flags: str, expected: dict, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: One\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    assert pinned(tmp_path / "cpuinfo") == expected
    asked = pinned(tmp_path / "cpuinfo", "MKL_CBWR=COMPATIBLE")
    assert asked == {**expected, "MKL_CBWR": "COMPATIBLE"}


def test_without_facts_about_the_cpu_nothing_is_pinned(tmp_path: Path) -> None:
    assert pinned(tmp_path / "none") == {}


def test_kernels_are_those_in_use_and_those_that_were_asked_for() -> None:
    found = kernels({"MKL_CBWR": "AVX2"})
    assert found["torch"] == torch.backends.cpu.get_cpu_capability()
    assert (found["MKL_CBWR"], found["ONEDNN_MAX_CPU_ISA"]) == ("AVX2", None)


@pytest.mark.parametrize(
    ("typed", "has_gpu", "name"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "NVIDIA H200"),
        ("cuda", True, "NVIDIA H200"),
        ("cpu", True, "cpu"),
        ("cuda", False, "cuda"),  # refused before the run; a record of an earlier end still says what was asked
    ],
)
def test_the_device_is_named(typed: str, has_gpu: bool, name: str, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    assert device_name(prepare(composed([f"training.device={typed}"])).training) == name


@pytest.mark.slow
def test_a_run_of_the_miniature_uses_them_and_any_others_that_are_asked_for(tmp_path: Path) -> None:
    few = "method=bitfit task=sst2 tracking=none training.max_steps=2 task.max_train_examples=8"
    few += " task.max_eval_examples=4"
    found = []
    for asked in ({}, {"ATEN_CPU_CAPABILITY": "default"}):
        kept = {name: value for name, value in os.environ.items() if name not in PINS}
        results = tmp_path / str(len(found))
        command = [sys.executable, "train.py", *few.split(), "task.max_test_examples=4", f"results_dir={results}"]
        subprocess.run(command, cwd=ROOT, env={**kept, **asked}, capture_output=True, check=True, timeout=120)
        (path,) = results.glob("mini/sst2/*.json")
        found.append(json.loads(path.read_text())["provenance"]["kernels"])
    if "avx2" in Path("/proc/cpuinfo").read_text():
        assert [one["torch"] for one in found] == ["AVX2", "DEFAULT"]
        assert {one["MKL_CBWR"] for one in found} == {"AVX2"}
