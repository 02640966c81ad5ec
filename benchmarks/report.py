"""Time and memory of `python report.py`: one table of the committed records, and one of 10,000 synthetic records.

`python benchmarks/report.py`, from the root of the repository. Seconds are of the whole command, imports included; the
second number is what one core was busy. The synthetic records are one committed record with 10,000 seeds.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from unidelta.records.record import to_json
from unidelta.records.store import RecordStore

N = 10_000
MAIN = Path("results/mini/main")


def measure(*words: str) -> str:
    """`1.8 s (1.7 s of one core), 0.12 GiB` of a command."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "report.py", *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status:
        sys.exit(f"report.py {' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return f"{seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of one core), {_gib(used):.2f} GiB"


def _gib(used: resource.struct_rusage) -> float:
    """Linux counts kibibytes."""
    return used.ru_maxrss / 2**20


def write_synthetic(folder: Path) -> None:
    """Write records that differ only by the seed, without the crash safety of a store."""
    records = RecordStore(root=MAIN).read_all().records
    full = next(record for record in records if record.coordinates["method"] == "full")
    place = folder / full.coordinates["scale"] / full.coordinates["task"]
    place.mkdir(parents=True)
    for seed in range(N):
        name = f"{seed:016x}"
        coordinates, spec = {**full.coordinates, "seed": seed}, {**full.spec, "seed": seed}
        text = to_json(replace(full, run_id=name, spec=spec, coordinates=coordinates))
        (place / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(f"table3, committed records:  {measure('table3', '--output', f'{scratch}/out')}")
        print(f"all, committed records:     {measure('all', '--output', f'{scratch}/out')}")
        write_synthetic(Path(scratch) / "runs")
        print(f"table6, {N:,} records:     {measure('table6', '--source', f'{scratch}/runs')}")
