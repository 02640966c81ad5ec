"""A working directory that somebody has removed is told in three lines, whatever the command."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = (
    "train method=bitfit task=mnli dry_run=true",
    "train -m method=mam seed=1,2 dry_run=true",
    "sweep table2 --list",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_is_gone_is_told(command: str, tmp_path: Path):
    python = shlex.join([sys.executable, "-m", "unidelta", *command.split()])
    gone = f"mkdir d && cd d && rmdir ../d && exec {python}"
    done = subprocess.run(["sh", "-c", gone], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "You asked:  a command in this folder",
        "Why not:    the folder has been removed",
        "Instead:    cd DIR, to a folder that exists",
    ]
