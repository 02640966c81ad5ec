"""A sweep through Ray: a cluster of two nodes on this machine does the jobs (extra `ray`)."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray")

FEW = "training.max_steps=2 task.max_train_examples=16 task.max_eval_examples=4 task.max_test_examples=4"


@pytest.fixture
def cluster(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a command that finds a cluster of two nodes, with one core each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    rays = {"RAY_AUTH_MODE": "disabled", "RAY_ADDRESS": address, "RAY_USAGE_STATS_ENABLED": "0"}
    here = {**environment, **rays}
    start = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        "--block",
        "--num-cpus=1",
        "--node-ip-address=127.0.0.1",
    ]
    # Ray's sockets do not fit into the long paths of tests.
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp") as folder, (tmp_path / "ray.log").open("wb") as log:
        alone = ["--node-ip-address=127.0.0.1"]
        head = [*alone, f"--port={port}", "--head", "--include-dashboard=false", f"--temp-dir={folder}"]
        nodes = []
        for words in (head, [*alone, f"--address={address}"]):
            nodes.append(
                subprocess.Popen(
                    [*start, *words], cwd=tmp_path, env=here, stdout=log, stderr=log, start_new_session=True
                )
            )
            wait_for_nodes(len(nodes), here)
        yield here
        for node in reversed(nodes):
            os.killpg(node.pid, signal.SIGTERM)
            try:
                node.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(node.pid, signal.SIGKILL)
                node.wait()


def wait_for_nodes(n: int, environment: dict[str, str]) -> None:
    ask = "import ray; ray.init(address='auto', log_to_driver=False); print(sum(node['Alive'] for node in ray.nodes()))"
    deadline = time.monotonic() + 120
    while True:
        found = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True)
        if found.stdout.split()[-1:] == [str(n)]:
            return
        assert time.monotonic() < deadline, found.stderr
        time.sleep(1)


@pytest.mark.slow
def test_a_sweep_goes_through_two_nodes(cluster: dict[str, str], root: Path, tmp_path: Path):
    (tmp_path / "sweeps").mkdir()
    lines = [f"method=frozen {FEW} task=sst2 tracking=none seed=1,2,3,4 results_dir={tmp_path}/here"]
    (tmp_path / "sweeps" / "some.yaml").write_text(json.dumps(lines))
    command = [sys.executable, str(root / "sweep.py"), "some", "hydra/launcher=ray_cluster"]
    more = ["hydra.launcher.ray.remote.num_gpus=0"]
    done = subprocess.run([*command, *more], cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4       0        0" in done.stdout
    assert len(list((tmp_path / "here" / "mini" / "sst2").glob("*.json"))) == 4
    again = subprocess.run(command, cwd=tmp_path, env=cluster, capture_output=True, text=True, timeout=900)
    assert (again.returncode, again.stdout) == (0, "some: 4 jobs, 4 done already, 0 to do\n")
