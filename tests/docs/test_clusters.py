"""The batch script of docs/clusters.md, run with stand-ins for the cluster's programs and for Python."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import ROOT, blocks

PYTHON = """#!/bin/bash
echo "$@" > typed
trap 'sleep 1; exit 75' TERM
touch begun
for i in $(seq 600); do [ -e done ] && exit $(cat done); sleep 0.05; done
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with the script, and with what a node has."""
    (script,) = (block for block in blocks(ROOT / "docs" / "clusters.md") if block.language == "slurm")
    (tmp_path / "job.sh").write_text(script.text)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").write_text(f"PATH={tmp_path}/bin:$PATH\n")
    (tmp_path / "bin").mkdir()
    for name, text in {
        "python": PYTHON,
        "module": "#!/bin/sh\n",
        "scontrol": '#!/bin/sh\necho "$@" > requeued\n',
    }.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("status", [None, 0, 1, 4])
def test_a_job_is_queued_again_if_it_was_told_to_stop_and_only_then(status: int | None, node: Path) -> None:
    environment = {**os.environ, "PATH": f"{node / 'bin'}:{os.environ['PATH']}", "SLURM_JOB_ID": "77"}
    job = subprocess.Popen(["bash", "job.sh"], cwd=node, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (node / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if status is None:
        job.send_signal(signal.SIGTERM)  # as --signal=B:TERM@300 does: to the script alone
    else:
        (node / "done").write_text(str(status))
    assert job.communicate(timeout=60)[1] == ""
    assert job.returncode == (75 if status is None else status)
    assert (node / "typed").read_text().startswith("train.py method=")
    requeued = node / "requeued"
    assert (requeued.read_text() if requeued.exists() else None) == ("requeue 77\n" if status is None else None)
