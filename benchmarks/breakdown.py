"""Where the time of a training step and of a generated token goes, by kind of operation, next to full fine-tuning.

`python benchmarks/breakdown.py` measures this suite's methods on the model of speed.py; `--out FILE` writes the record
that docs/performance.md shows. Times are torch's profiler's own time of each operation, methods in turns, one thread.
"""

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from ours import METHODS, method
from speed import keep, machine
from table import render
from torch.profiler import ProfilerActivity, profile
from workload import SIZES, Subject, versions

KINDS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
    "attention": ("scaled_dot_product", "_flash_attention", "aten::_softmax"),
    "dropout": ("bernoulli", "dropout"),
    "layer norm": ("layer_norm",),
    "activation": ("gelu", "relu", "threshold_backward"),
    "AdamW": ("_fused_adam",),
    "loss": ("log_softmax", "nll_loss"),
    "sums, scaling": ("aten::add", "aten::mul", "aten::div", "aten::sum", "masked_fill"),
    "copies": ("aten::copy_", "aten::cat", "aten::clone", "aten::index", "aten::fill_", "aten::zero_"),
}
"""Kinds of operation, by substrings of operation names; the first match counts."""
OTHER = "the rest"
SHOWN = ("full", "BitFit", "LoRA q,v", "parallel adapter, s=4", "prefix", "MAM")


def kind_of(operation: str) -> str:
    """The kind that an operation's time is counted for."""
    return next((kind for kind, words in KINDS.items() if any(word in operation for word in words)), OTHER)


def milliseconds(function: Callable[[], object]) -> dict[str, float]:
    """Time by kind of operation in one call."""
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        function()
    found = dict.fromkeys([*KINDS, OTHER], 0.0)
    for event in measured.key_averages():
        found[kind_of(event.key)] += event.self_cpu_time_total / 1000
    return found


def measure(names: Sequence[str], *, size: str, rounds: int) -> dict[str, Any]:
    """The record: medians over the rounds of milliseconds by kind, per step and per generated token.

    Args:
        names: of methods in ours.py; `full` is always among them.
        size: of SIZES.
        rounds: how often each method has its turn; a first turn that is not counted comes before.
    """
    subjects = {
        name: Subject(method(METHODS[name]), SIZES[size], fused=True) for name in dict.fromkeys(["full", *names])
    }
    calls: dict[str, Callable[[Subject], Callable[[], object]]] = {
        "step": lambda subject: subject.step,
        "greedy": lambda subject: lambda: subject.generate(1),
        "beam-4": lambda subject: lambda: subject.generate(4),
    }
    found: dict[str, dict[str, list[dict[str, float]]]] = {what: {name: [] for name in subjects} for what in calls}
    loads: list[float] = []
    for i in range(-1, rounds):
        for what, call in calls.items():
            for name, subject in subjects.items():
                times = milliseconds(call(subject))
                if i >= 0:
                    found[what][name].append(times)
        loads.append(os.getloadavg()[0])
        print(f"round {i + 1} of {rounds}", file=sys.stderr, flush=True)
    tokens = {"step": 1, "greedy": SIZES[size].target, "beam-4": SIZES[size].target}
    return {
        "size": size,
        "rounds": rounds,
        "machine": machine(loads),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "milliseconds": {
            what: {
                name: {
                    kind: round(statistics.median(turn[kind] for turn in turns) / tokens[what], 3)
                    for kind in [*KINDS, OTHER]
                }
                for name, turns in by_name.items()
            }
            for what, by_name in found.items()
        },
    }


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(prog="python benchmarks/breakdown.py", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="d256", help="of the model; default: d256")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=SHOWN, metavar="NAME", help="default: six")
    parser.add_argument("--out", type=Path, help="write the record to this file")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    record = measure(arguments.methods, size=arguments.size, rounds=arguments.rounds)
    keep(record, arguments.out)
    print(render("breakdown", record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
