"""The table of docs/performance.md, from a record that speed.py wrote.

`python benchmarks/table.py benchmarks/results/speed-d256.json` prints it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_HEAD = (
    "| method | trained | step / full | step / floor | greedy / full | beam-4 / full | saved activations |"
    " peak memory | checkpoint |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def markdown(record: Mapping[str, Any]) -> str:
    """A row a method: medians, and quartiles in brackets. The floor is two forward passes without gradients.

    Args:
        record: of speed.py.
    """
    rows = record["methods"]
    (forward,) = (row["step"]["cpu"][1] for row in rows if row["name"] == "frozen forward")
    lines = [_HEAD]
    for row in rows:
        if row["name"] == "frozen forward":
            lines.append(f"| *forward pass alone* | 0 | {_ratio(row['step'])} | 0.50 | | | | | |")
            continue
        name = f"{row['name']}, transformers {record['versions']['peers.py']['transformers']}"
        if row["name"] != "full" or row["from"] == "ours":
            name = row["name"]
        cells = [
            name if row["from"] == "peers" else f"**{name}**",
            f"{row['trained']:,}",
            _ratio(row["step"]),
            f"{row['step']['cpu'][1] / (2 * forward):.2f}",
            _ratio(row["greedy"]),
            _ratio(row["beam-4"]),
            *(f"{row[key] / 2**20:,.0f} MB" for key in ("saved_bytes", "peak_bytes")),
            f"{row['stored_bytes'] / 2**10:,.0f} KB",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def conditions(record: Mapping[str, Any]) -> str:
    """What was measured, where, when and with what, in a sentence each."""
    sizes, rounds, machine = record["sizes"], record["rounds"], record["machine"]
    versions = [
        f"{script.removesuffix('.py')}: " + ", ".join(f"{name} {number}" for name, number in found.items())
        for script, found in record["versions"].items()
    ]
    return (
        f"BART with random weights, d = {sizes['d']}, {sizes['layers']} + {sizes['layers']} layers; batch"
        f" {sizes['batch']}, source {sizes['source']}, target {sizes['target']}; l = {sizes['prefix']}, bottleneck"
        f" {sizes['bottleneck']}, MLP {sizes['mlp']}, LoRA {sizes['lora']} and {sizes['lora_ffn']}; dropout 0.1;"
        f" {record['optimiser']}. {rounds['step']} rounds of steps, {rounds['greedy']} of generation."
        f" {machine['cpu']}, one thread, {record['date']}. {'; '.join(versions)}."
    )


def _ratio(found: Mapping[str, Any]) -> str:
    low, middle, high = found["cpu"]
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def main(argv: Sequence[str]) -> int:
    """The exit status: 0."""
    for path in argv:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        print(f"{conditions(record)}\n\n{markdown(record)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
