"""A sweep of small jobs that go wrong in every way a process can, as a program of its own: workers import it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

JOBS = """
import ctypes, json, os, resource, signal, subprocess, sys, time
from pathlib import Path
from unidelta.sweeps.follow import follow
from unidelta.sweeps.pool import Pool, Task
from unidelta.sweeps.worker import Report


def eat() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    bytearray(2**32)


def hang_with_a_child() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    print("child", child.pid, flush=True)
    time.sleep(300)


def save_when_asked() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
    print("ready", flush=True)
    time.sleep(300)


def save_slowly() -> None:
    def save(*_: object) -> None:
        time.sleep(1)
        Path("saved").touch()
        sys.exit(75)

    signal.signal(signal.SIGTERM, save)
    print("ready", flush=True)
    time.sleep(300)


def fail_once() -> None:
    mark = Path("mark")
    if not mark.exists():
        mark.touch()
        raise OSError("the first time")


ILL = {
    "raise": lambda: 1 / 0,
    "exit": lambda: sys.exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": lambda: time.sleep(300),
    "hang with a child": hang_with_a_child,
    "_exit": lambda: os._exit(139),
    "crash": lambda: ctypes.string_at(0),
    "eat": eat,
    "save when asked": save_when_asked,
    "save slowly": save_slowly,
    "fail once": fail_once,
}


def do(what: str) -> Report:
    os.write(1, f"below Python: {what}\\n".encode())
    ILL.get(what.split(":")[0], lambda: None)()
    return Report(status=2 if what == "refuse" else 0, note=f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES')}")


if __name__ == "__main__":
    names, options = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    tasks = [Task(name=name, argument=name, log=Path("logs") / f"{i}.log") for i, name in enumerate(names)]
    result = follow(Pool(**options), tasks, do)
    found = {o.name: [o.word, o.status, o.note, o.seconds, o.log.read_text()] for o in result.outcomes}
    print(json.dumps(found))
    sys.exit(result.status)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the program with jobs and options of the pool; its last line is JSON."""

    def begin(names: list[str], **options: Any) -> "subprocess.Popen[str]":
        script = tmp_path / "program.py"
        script.write_text(JOBS)
        arguments = [sys.executable, str(script), json.dumps(names), json.dumps(options)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        programs.append(subprocess.Popen(arguments, **pipes, text=True, cwd=tmp_path))
        return programs[-1]

    programs: list[subprocess.Popen[str]] = []
    yield begin
    for program in programs:
        program.kill()
        with program:  # closes its pipes and waits for it
            pass


@pytest.fixture
def is_alive() -> Callable[[int], bool]:
    """Whether a process runs; one that ended and was not yet waited for does not."""

    def ask(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return ask


@pytest.fixture
def wait_for() -> Callable[..., None]:
    """Wait until something is so, at most 20 s."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    return wait


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return Path(__file__).parents[2]


@pytest.fixture
def environment(root: Path) -> dict[str, str]:
    """Of a command line that is tested: the sources of this checkout, no hub, one thread."""
    paths = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": paths, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
