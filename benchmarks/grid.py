"""The time of one table of the miniature with two workers, and where its jobs spend it.

`python benchmarks/grid.py` runs the sweep of Table 6 with one seed as `python sweep.py` does, and then one job a task
in a fresh process under Python's profiler, which adds a few percent to what is Python and nothing to what is torch.
`--out FILE` writes the record that docs/performance.md shows. Minutes; the machine should have nothing else to do.
"""

import argparse
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from speed import keep, machine
from table import render
from workload import versions

ROOT = Path(__file__).parents[1]
TASKS = ("xsum", "wmt_en_ro", "mnli", "sst2")
TRAIN = ("training/loop.py", "train")
FORWARD = ("training/loss.py", "logits_of")
BACKWARD = ("torch/_tensor.py", "backward")
EVALUATE = ("training/evaluate.py", "evaluate")
TEST = ("unidelta/run/score.py", "score")


def table_of_jobs(sweep: str, *, workers: int, folder: Path) -> dict[str, Any]:
    """Wall seconds of a sweep with one seed, and of each of its runs by its own clock."""
    words = [sweep, "seed=1", "tracking.mode=offline", f"results_dir={folder}", f"--workers={workers}"]
    begin = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "sweep.py"), *words], check=True, stdout=sys.stderr)
    wall = time.perf_counter() - begin
    records = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("mini/*/*.json")]
    seconds = [record["cost"]["seconds"] for record in records if record["status"] == "complete"]
    return {
        "sweep": sweep,
        "jobs": len(records),
        "workers": workers,
        "wall": round(wall, 1),
        "training": round(sum(seconds), 1),
    }


def cumulative(stats: pstats.Stats, place: tuple[str, str], *, within: tuple[str, str] | None = None) -> float:
    """Seconds in one function and everything that it calls, 0 where it was not called.

    Args:
        stats: of a process.
        place: end of the function's file, and its name.
        within: count only what this function called.
    """

    def is_at(key: tuple[str, int, str], place: tuple[str, str]) -> bool:
        return key[2] == place[1] and key[0].endswith(place[0])

    found = 0.0
    for key, row in stats.stats.items():  # type: ignore[attr-defined]  # typeshed leaves it out, the manual does not
        if is_at(key, place):
            calls = [row] if within is None else [own for caller, own in row[4].items() if is_at(caller, within)]
            found += sum(call[3] for call in calls)
    return found


def parts(stats: pstats.Stats) -> dict[str, float]:
    """The seconds of a run by part; the parts add up to the whole process."""
    train, test = cumulative(stats, TRAIN), cumulative(stats, TEST)
    dev = cumulative(stats, EVALUATE, within=TRAIN)
    step = cumulative(stats, FORWARD, within=TRAIN) + cumulative(stats, BACKWARD)
    found = {
        "imports, configuration, data, model": stats.total_tt - train - test,  # type: ignore[attr-defined]
        "forward and backward": step,
        "scores on dev": dev,
        "the rest of training": train - step - dev,
        "scores on test": test,
    }
    return {part: round(seconds, 2) for part, seconds in found.items()}


def profiled(*overrides: str) -> dict[str, float]:
    """A job in its own process, under Python's profiler."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "profile"
        words = [*overrides, f"results_dir={folder}", "training.progress=false"]
        command = [sys.executable, "-m", "cProfile", "-o", str(found), str(ROOT / "train.py"), *words]
        subprocess.run(command, check=True, stdout=sys.stderr)
        return parts(pstats.Stats(str(found)))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(prog="python benchmarks/grid.py", description=__doc__)
    parser.add_argument("--sweep", default="table6", help="of sweeps/; default: table6")
    parser.add_argument("--workers", type=int, default=2, help="default: 2")
    parser.add_argument("--method", default="mam", help="of the job that is profiled; default: mam")
    parser.add_argument("--out", type=Path, help="write the record to this file")
    arguments = parser.parse_args(argv)
    os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        jobs = table_of_jobs(arguments.sweep, workers=arguments.workers, folder=Path(folder))
    load = os.getloadavg()[0]  # before anything else runs: the workers are in it
    profiles = {task: profiled(f"method={arguments.method}", f"task={task}") for task in TASKS}
    record = {
        **jobs,
        "method": arguments.method,
        "seconds": profiles,
        "machine": machine([load]),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
    }
    keep(record, arguments.out)
    print(render("grid", record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
