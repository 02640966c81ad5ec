"""Time and memory of training and generation, relative to full fine-tuning: this suite's methods and, if asked, peers'.

`python benchmarks/speed.py` times ours; with `--peers PYTHON`, the python of the environment that peers.py describes,
peft and adapters take part in the same run. Every figure of a method is divided by that of full fine-tuning with the
same version of transformers in the same round; the order within a round is random. CPU seconds, one thread.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from table import render
from workload import SIZES

HERE = Path(__file__).parent
TIMED = ("step", "greedy", "beam-4")
ALWAYS = ("full", "frozen forward")


class Worker:
    """A worker process that times what it is sent.

    Args:
        python: which interpreter.
        script: ours.py or peers.py.
        size: name of the model's and the batch's size.
        fused: of AdamW.
    """

    def __init__(self, python: str, script: str, *, size: str, fused: bool) -> None:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "TRANSFORMERS_VERBOSITY": "error",
            "PYTHONWARNINGS": "ignore",
        }
        self._process = subprocess.Popen(
            [python, str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._write({"size": size, "fused": fused})

    def ask(self, **question: str) -> dict[str, Any]:
        """The worker's answer to one question."""
        self._write(question)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"The process that was asked {question} has ended; what it said is above.")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _write(self, words: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(words)}\n")
        self._process.stdin.flush()


def measure(
    pythons: Mapping[str, str], *, only: Sequence[str], size: str, rounds: Mapping[str, int], fused: bool, seed: int
) -> Iterator[dict[str, Any]]:
    """The record after each round: the measurements of every method so far, and the machine.

    Args:
        pythons: interpreter by script.
        only: names of methods besides `full` and the forward pass; none: all.
        size: of SIZES.
        rounds: how often each of TIMED.
        fused: of AdamW.
        seed: of the order within a round.
    """
    workers = {script: Worker(python, script, size=size, fused=fused) for script, python in pythons.items()}
    known = {script: worker.ask(do="versions") for script, worker in workers.items()}
    rows = [
        (script, name)
        for script in pythons
        for name in known[script]["methods"]
        if not only or name in (*only, *ALWAYS)
    ]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for script, name in rows:
        found[script, name] = workers[script].ask(do="static", method=name)
        print(f"{script} {name}: {found[script, name]}", file=sys.stderr, flush=True)
    rng = random.Random(seed)
    fulls = [row for row in rows if row[1] == "full"]
    able = {what: [row for row in rows if what == "step" or row[1] != "frozen forward"] for what in TIMED}
    seconds: dict[str, dict[tuple[str, str], list[dict[str, float]]]] = {
        what: {row: [] for row in able[what]} for what in TIMED
    }
    loads: list[float] = []
    for i in range(-1, max(rounds.values())):  # the first round warms up
        for what in (what for what in TIMED if i < rounds[what]):
            now: dict[tuple[str, str], list[dict[str, float]]] = {row: [] for row in able[what]}
            for row in rng.sample(able[what] + fulls, len(able[what] + fulls)):
                now[row].append(workers[row[0]].ask(do=what, method=row[1]))
            if i >= 0:
                for row, twice in now.items():
                    mean = {clock: statistics.mean(each[clock] for each in twice) for clock in ("cpu", "wall")}
                    seconds[what][row].append(mean)
            print(f"round {i + 1} of {rounds[what]}: {what}", file=sys.stderr, flush=True)
        if i < 0:
            continue
        loads.append(os.getloadavg()[0])
        for what in TIMED:
            for row in able[what]:
                found[row][what] = _ratios(seconds[what][row], seconds[what][row[0], "full"])
        yield {
            "size": size,
            "sizes": {name: getattr(SIZES[size], name) for name in SIZES[size].__dataclass_fields__},
            "rounds": {what: min(i + 1, n) for what, n in rounds.items()},
            "optimiser": "AdamW, fused" if fused else "AdamW, torch's default",
            "machine": machine(loads),
            "date": datetime.now(UTC).date().isoformat(),
            "versions": {script: known[script]["versions"] for script in pythons},
            "methods": [
                {"from": script.removesuffix(".py"), "name": name, **found[script, name]} for script, name in rows
            ],
        }
    for worker in workers.values():
        worker.close()


def _ratios(mine: Sequence[Mapping[str, float]], full: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Quartiles of the ratios by round, by each clock, and the median of the CPU seconds."""
    ratios = {
        clock: _quartiles([one[clock] / base[clock] for one, base in zip(mine, full, strict=True)])
        for clock in ("cpu", "wall")
    }
    return {**ratios, "seconds": round(statistics.median(one["cpu"] for one in mine), 4)}


def _quartiles(values: Sequence[float]) -> list[float]:
    if len(values) < 2:
        return [round(values[0], 4)] * 3
    return [round(value, 4) for value in statistics.quantiles(values, n=4, method="inclusive")]


def keep(record: Mapping[str, Any], file: Path | None) -> None:
    """Write a record to a file, if one was named."""
    if file is not None:
        file.write_text(f"{json.dumps(record, indent=1)}\n", encoding="utf-8")


def machine(loads: Sequence[float]) -> dict[str, Any]:
    """The machine, and the mean load over the rounds."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load": round(statistics.mean(loads), 1),
        "threads": 1,
        "system": platform.system(),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if platform.system() == "Linux" else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(prog="python benchmarks/speed.py", description=__doc__)
    parser.add_argument("--peers", metavar="PYTHON", help="python of the peers' environment (see peers.py)")
    parser.add_argument("--size", choices=SIZES, default="d256", help="of the model; default: d256")
    parser.add_argument("--rounds", type=int, default=10, help="of training steps; default: 10")
    parser.add_argument("--generation-rounds", type=int, default=3, help="of generation; default: 3")
    parser.add_argument("--default-adamw", action="store_true", help="torch's default AdamW; default: the fused one")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="these rows and `full` only; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the order within a round")
    parser.add_argument("--out", type=Path, help="write the record to this file, anew after every round")
    arguments = parser.parse_args(argv)
    rounds = {"step": arguments.rounds, "greedy": arguments.generation_rounds, "beam-4": arguments.generation_rounds}
    pythons = {"ours.py": sys.executable} | ({"peers.py": arguments.peers} if arguments.peers else {})
    record: dict[str, Any] = {}
    for record in measure(
        pythons,
        only=arguments.methods or [],
        size=arguments.size,
        rounds=rounds,
        fused=not arguments.default_adamw,
        seed=arguments.seed,
    ):
        keep(record, arguments.out)
    print(render("speed", record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
