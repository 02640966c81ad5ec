"""Seconds from the command to the output of a dry run and to the first optimiser step, and seconds of imports.

`python benchmarks/startup.py --rounds 5`. Wall and CPU seconds (user and system) of fresh processes, files in the
cache of the operating system, rounds interleaved; wall seconds say as much about what else the machine does.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from speed import keep, machine
from table import render
from workload import versions

ROOT = Path(__file__).parents[1]


def process(*words: str) -> dict[str, float]:
    """Wall and CPU seconds of a whole Python process."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - wall, "cpu": cpu}


def first_step() -> dict[str, float]:
    """Seconds until the default job of the miniature finishes its first optimiser step, where the process ends."""
    with tempfile.TemporaryDirectory() as folder:
        words = [f"results_dir={folder}", "training.progress=false"]
        return process(str(ROOT / "benchmarks" / "first_step.py"), "method=mam", "task=xsum", *words)


def report() -> dict[str, float]:
    """Seconds of Table 3 from the committed records, written to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        return process(str(ROOT / "report.py"), "table3", "--output", folder)


MEASURED: dict[str, Callable[[], dict[str, float]]] = {
    "import unidelta": lambda: process("-c", "import unidelta"),
    "import torch": lambda: process("-c", "import torch"),
    "import unidelta.run.execute": lambda: process("-c", "import unidelta.run.execute"),
    "python report.py table3": report,
    "python train.py method=mam task=xsum dry_run=true": lambda: process(
        str(ROOT / "train.py"), "method=mam", "task=xsum", "dry_run=true"
    ),
    "python train.py method=mam task=xsum, to the first optimiser step": first_step,
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(prog="python benchmarks/startup.py", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of everything; default: 5")
    parser.add_argument("--out", type=Path, help="write the record to this file")
    arguments = parser.parse_args(argv)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
    for function in MEASURED.values():
        function()  # warms the file cache
    for _ in range(arguments.rounds):
        for name, function in MEASURED.items():
            found[name].append(function())
    seconds = {
        name: {
            clock: [round(value, 2) for value in (min(values), statistics.median(values), max(values))]
            for clock in ("wall", "cpu")
            for values in [[second[clock] for second in seconds]]
        }
        for name, seconds in found.items()
    }
    record = {
        "rounds": arguments.rounds,
        "seconds": seconds,
        "machine": machine([os.getloadavg()[0]]),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
    }
    keep(record, arguments.out)
    print(render("startup", record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
