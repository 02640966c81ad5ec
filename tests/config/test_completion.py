"""What a shell completes: after `python train.py`, and after `unidelta`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def completed(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command, environment = [sys.executable, "train.py", *words], {**os.environ, **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)


def test_completion_is_installed_and_answers():
    done = completed("-sc", "install=bash")
    assert done.returncode == 0 and "complete -o" in done.stdout
    asked = completed("-sc", "query=bash", COMP_LINE="python train.py experiment=", COMP_POINT="99")
    assert "experiment=quick" in asked.stdout


COMPLETE = """
eval "$(unidelta {installed} install=bash)"
complete -p unidelta > /dev/null || exit
COMP_LINE={line!r}; COMP_CWORD=$(($(wc -w <<< "$COMP_LINE") - 1)); hydra_bash_completion; echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="completes in bash")
@pytest.mark.parametrize(
    ("installed", "line", "found"),
    [
        ("train -sc", "unidelta train method=pref", "method=prefix method=prefix_lora"),
        ("-sc", "unidelta  train seed=1 scale=", "scale=mini scale=paper scale=small"),
        ("--shell-completion", "unidelta ex", "export"),
        ("-sc", "unidelta sweep tr", ""),
    ],
)
def test_what_follows_unidelta_is_completed(installed: str, line: str, found: str, tmp_path: Path):
    program = tmp_path / "unidelta"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m unidelta "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-c", COMPLETE.format(installed=installed, line=line)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert (done.stdout.strip(), done.stderr) == (found, "")


def test_fish_finds_in_train_py_what_it_looks_for():
    assert "@hydra.main" in (ROOT / "train.py").read_text(encoding="utf-8")
