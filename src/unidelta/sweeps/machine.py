"""This machine's GPUs, cores and memory, as far as this process may use them. No torch."""

import math
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_LIST_TIMEOUT_S = 60.0  # nvidia-smi wakes the driver, which is slow if no process keeps it awake
_NO_LIMIT = 1 << 60  # cgroups of version 1 write a number near 2^63 for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The resources for jobs.

    Args:
        gpus: a value of CUDA_VISIBLE_DEVICES for each visible GPU: index, or UUID of a GPU or of a part (MIG).
        n_cores: by affinity and by the limits of a container or batch job.
        free_bytes: of memory, by the same limits; None if the system does not say.
    """

    gpus: tuple[str, ...]
    n_cores: int
    free_bytes: int | None


def this_machine() -> Machine:
    """The machine of this process."""
    return Machine(gpus=visible_gpus(os.environ), n_cores=n_cores(), free_bytes=free_bytes())


def visible_gpus(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The GPUs that CUDA would let a process see: all, or those that CUDA_VISIBLE_DEVICES names."""
    present = _present(environment)
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return present or ()
    found: dict[str, None] = {}
    for word in map(str.strip, named.split(",")):
        is_index = word.isdecimal() and (present is None or int(word) < len(present))
        if not (is_index or word.startswith(("GPU-", "MIG-"))):
            break  # CUDA stops at the first invalid entry
        found[word] = None
    return tuple(found)


def n_cores(root: Path = Path("/")) -> int:
    """The number of cores that this process may use, by its affinity and the CPU limits of its cgroups."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not available on macOS
        cores = os.cpu_count() or 1
    for folder in _cgroups(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            cores = min(cores, max(1, math.ceil(int(quota) / int(period))))
    return cores


def free_bytes(root: Path = Path("/")) -> int | None:
    """Free memory, including reclaimable file caches; None if the system does not say."""
    amounts: list[int] = []
    available = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    if available:
        amounts.append(1024 * int(available[1]))
    for folder in _cgroups(root, "memory"):
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            most, now = _read(folder / limit), _read(folder / used)
            if most.isdecimal() and now.isdecimal() and int(most) < _NO_LIMIT:
                files = re.search(r"^(?:total_)?inactive_file (\d+)", _read(folder / "memory.stat"), re.MULTILINE)
                amounts.append(max(0, int(most) - int(now) + (int(files[1]) if files else 0)))
    return min(amounts, default=None)


def _present(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """All GPUs, or their parts if they are partitioned; None if there is no driver."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_LIST_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    gpus: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if whole := re.match(r"GPU (\d+):", line):
            gpus[whole[1]] = []
        elif (part := re.search(r"UUID: (MIG-[^)]+)\)", line)) and gpus:
            gpus[list(gpus)[-1]].append(part[1])
    return tuple(name for index, parts in gpus.items() for name in (parts or [index]))


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's control groups (versions 1 and 2), innermost first."""
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number != "0" and controller not in controllers.split(","):
            continue
        top = mount if number == "0" else mount / controller
        inner = top / path.strip("/")
        yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(top))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
