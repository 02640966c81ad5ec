"""GPUs as CUDA would count them, cores and memory as cgroups limit them; files stand in for those of the kernel."""

import os
import sys
from pathlib import Path

import pytest

from unidelta.sweeps.machine import free_bytes, n_cores, visible_gpus

WHOLE = "".join(f"GPU {i}: NVIDIA A100-SXM4-40GB (UUID: GPU-{i}aaa-bbb)\n" for i in range(4))
PARTS = (
    "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-0aaa)\n"
    "  MIG 3g.20gb     Device  0: (UUID: MIG-0c)\n"
    "  MIG 3g.20gb     Device  1: (UUID: MIG-0d)\n"
    "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-1aaa)\n"
)


def driver(folder: Path, text: str | None) -> dict[str, str]:
    """A folder of programs in which `nvidia-smi -L` prints a text, fails, or is missing."""
    if text is not None:
        ending = "exit 9" if text == "" else ""
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && printf '%s' '{text}'\n{ending}\n")
        (folder / "nvidia-smi").chmod(0o755)
    return {"PATH": f"{folder}:/bin:/usr/bin"} if text is not None else {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("text", "named", "gpus"),
    [
        (WHOLE, None, ["0", "1", "2", "3"]),
        (WHOLE, "2", ["2"]),
        (WHOLE, " 3, 1 ", ["3", "1"]),
        (WHOLE, "", []),
        (WHOLE, "-1", []),
        (WHOLE, "0,-1,2", ["0"]),
        (WHOLE, "1,7,2", ["1"]),
        (WHOLE, "NoDevFiles", []),
        (WHOLE, "GPU-0aaa,GPU-3aaa", ["GPU-0aaa", "GPU-3aaa"]),
        (WHOLE, "1,1", ["1"]),
        (PARTS, None, ["MIG-0c", "MIG-0d", "1"]),
        (PARTS, "MIG-0d", ["MIG-0d"]),
        (None, None, []),
        (None, "0,5", ["0", "5"]),
        ("", None, []),
        ("No devices found.", "0", []),
    ],
)
def test_gpus_are_those_that_cuda_would_show(text: str | None, named: str | None, gpus: list[str], tmp_path: Path):
    variables = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus({**driver(tmp_path, text), **variables}) == tuple(gpus)


def kernel(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2, V1 = {"proc/self/cgroup": "0::/batch/job\n"}, {"proc/self/cgroup": "4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n"}
CPU = {
    "no limit": ({**V2, "sys/fs/cgroup/batch/job/cpu.max": "max 100000"}, None),
    "of the job": ({**V2, "sys/fs/cgroup/batch/job/cpu.max": "100000 100000"}, 1),
    "of what the job is in": (
        {**V2, "sys/fs/cgroup/batch/cpu.max": "50000 100000", "sys/fs/cgroup/batch/job/cpu.max": "max 100000"},
        1,
    ),
    "version 1": (
        {**V1, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "90000", "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000"},
        1,
    ),
    "version 1 without": (
        {**V1, "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000"},
        None,
    ),
    "a kernel that says nothing": ({}, None),
}


@pytest.mark.skipif(sys.platform != "linux", reason="cgroups")
@pytest.mark.parametrize("case", CPU)
def test_cores_are_those_of_the_affinity_within_the_limits(case: str, tmp_path: Path):
    files, limit = CPU[case]
    assert n_cores(kernel(tmp_path, files)) == (limit or len(os.sched_getaffinity(0)))


MEMINFO = {"proc/meminfo": "MemTotal: 9999 kB\nMemAvailable:    5000 kB\n"}
V2_MEMORY = {
    "sys/fs/cgroup/batch/memory.max": "4000000",
    "sys/fs/cgroup/batch/memory.current": "1500000",
    "sys/fs/cgroup/batch/memory.stat": "anon 1\ninactive_file 500000\nactive_file 7\n",
    "sys/fs/cgroup/batch/job/memory.max": "max",
    "sys/fs/cgroup/batch/job/memory.current": "1",
}
V1_MEMORY = {
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "3000000",
    "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "1000000",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**63 - 4096),
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "1",
}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        (MEMINFO, 5000 * 1024),
        ({**MEMINFO, **V2, **V2_MEMORY}, 4_000_000 - 1_500_000 + 500_000),
        ({**MEMINFO, **V1, **V1_MEMORY}, 2_000_000),
        ({**V1, **V1_MEMORY}, 2_000_000),
        ({}, None),
    ],
)
def test_free_memory_is_the_least_that_anybody_leaves(files: dict[str, str], free: int | None, tmp_path: Path):
    assert free_bytes(kernel(tmp_path, files)) == free
