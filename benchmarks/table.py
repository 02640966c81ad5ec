"""The tables of docs/performance.md, from the records of the other scripts here.

`python benchmarks/table.py` prints the page with the records in benchmarks/results; `--write` writes it.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs" / "performance.md", ROOT / "benchmarks" / "results"

_HEAD = (
    "| method | trained | step / full | step / floor | greedy / full | beam-4 / full | saved activations |"
    " peak memory | checkpoint |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def markdown(record: Mapping[str, Any]) -> str:
    """One row per method: medians, and quartiles in brackets. The floor is two forward passes without gradients.

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
        name = row["name"]
        if name == "full" and row["from"] == "peers":
            name = f"full, transformers {record['versions']['peers.py']['transformers']}"
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
    sizes, rounds = record["sizes"], record["rounds"]
    versions = [f"{script.removesuffix('.py')}: {_versions(found)}" for script, found in record["versions"].items()]
    family, layers = sizes.get("family", "bart"), sizes["layers"]
    model = {"bart": f"BART with random weights, d = {sizes['d']}, {layers} + {layers} layers"}
    model["llama"] = f"Llama with random weights, d = {sizes['d']}, {layers} layers, half as many heads of keys"
    dropout = {"bart": "dropout 0.1; ", "llama": ""}[family]
    return (
        f"{model[family]}; batch"
        f" {sizes['batch']}, source {sizes['source']}, target {sizes['target']} tokens; prefixes of"
        f" {sizes['prefix']} vectors, made by an MLP of width {sizes['mlp']}; adapters of bottleneck"
        f" {sizes['bottleneck']}; LoRA of rank {sizes['lora']} at q, v and {sizes['lora_ffn']} at the FFN;"
        f" {dropout}{record['optimiser']}. {rounds['step']} rounds of steps, {rounds['greedy']} of generation."
        f" {_where(record)} {'; '.join(versions)}."
    )


def breakdown(record: Mapping[str, Any]) -> str:
    """Tables for a step, a greedy token and a token of four beams: one row per kind of operation.

    Args:
        record: of breakdown.py.
    """
    return "\n\n".join(_breakdown(what, by_name) for what, by_name in record["milliseconds"].items())


def _breakdown(what: str, by_name: Mapping[str, Mapping[str, float]]) -> str:
    whole = sum(by_name["full"].values())
    lines = [f"| {what} | {' | '.join(by_name)} |", f"|---|{'---:|' * len(by_name)}"]
    for kind in by_name["full"]:
        lines.append(f"| {kind} | {' | '.join(f'{100 * times[kind] / whole:.1f}' for times in by_name.values())} |")
    sums = (f"{100 * sum(times.values()) / whole:.0f}" for times in by_name.values())
    return "\n".join([*lines, f"| **all** | {' | '.join(sums)} |"])


def conditions_of_breakdown(record: Mapping[str, Any]) -> str:
    """What was measured, where, when and with what."""
    return (
        f"The model of {record['size']}, torch's profiler; medians of {record['rounds']} rounds, in percent of full"
        f" fine-tuning. {_where(record)} {_versions(record['versions'])}."
    )


def grid(record: Mapping[str, Any]) -> str:
    """One row per part of a run, one column per task: seconds, and percent of the run without imports and loading.

    Args:
        record: of grid.py.
    """
    by_task = record["seconds"]
    lines = [f"| seconds | {' | '.join(by_task)} |", f"|---|{'---:|' * len(by_task)}"]
    for i, part in enumerate(next(iter(by_task.values()))):
        cells = []
        for times in by_task.values():
            own = sum(list(times.values())[1:])
            cells.append(f"{times[part]:.1f}" + (f" ({100 * times[part] / own:.0f} %)" if i else ""))
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def conditions_of_grid(record: Mapping[str, Any]) -> str:
    """The time of the sweep, and the machine."""
    jobs, wall, workers = record["jobs"], record["wall"], record["workers"]
    a_job, training = wall * workers / jobs, record["training"] / jobs
    return (
        f"`{record['sweep']}` with one seed: {jobs} jobs, {workers} workers, {wall:.0f} s. One job takes {a_job:.0f} s"
        f" of a worker, {training:.0f} of them training and scoring on dev. The columns are `method={record['method']}`"
        f", one process each, under Python's profiler. {_where(record)} {_versions(record['versions'])}."
    )


def startup(record: Mapping[str, Any]) -> str:
    """One row per command: median wall and CPU seconds, with minimum and maximum.

    Args:
        record: of startup.py.
    """
    lines = ["| | wall s | CPU s |", "|---|---:|---:|"]
    for name, clocks in record["seconds"].items():
        cells = (f"{middle:.2f} ({low:.2f}–{high:.2f})" for low, middle, high in (clocks["wall"], clocks["cpu"]))
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def conditions_of_startup(record: Mapping[str, Any]) -> str:
    """What was measured, where, when and with what."""
    return (
        f"Fresh processes, files in the operating system's cache; medians of {record['rounds']} rounds, least and"
        f" greatest. {_where(record)} {_versions(record['versions'])}."
    )


def loop(record: Mapping[str, Any]) -> str:
    """One row per method: milliseconds per step of both loops, and their ratio.

    Args:
        record: of loop.py.
    """
    lines = ["| method | `training/loop.py` | bare loop | ratio |", "|---|---:|---:|---:|"]
    for name, ms in record["milliseconds"].items():
        lines.append(f"| {name} | {ms['loop']:.1f} ms | {ms['bare']:.1f} ms | {record['ratio'][name]:.3f} |")
    return "\n".join(lines)


def conditions_of_loop(record: Mapping[str, Any]) -> str:
    """What was measured, where, when and with what."""
    return (
        f"Median CPU time of a step, model {record['size']}, {record['rounds']} rounds of {record['steps']} steps of"
        f" each loop, in turns. {_where(record)} {_versions(record['versions'])}."
    )


def _where(record: Mapping[str, Any]) -> str:
    machine = record["machine"]
    return f"{machine['cpu']}, one thread of {machine['cores']} cores, load {machine['load']}, {record['date']}."


def _versions(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _ratio(found: Mapping[str, Any]) -> str:
    low, middle, high = found["cpu"]
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


_TABLES: dict[str, tuple[Callable[[Mapping[str, Any]], str], Callable[[Mapping[str, Any]], str]]] = {
    "speed": (conditions, markdown),
    "breakdown": (conditions_of_breakdown, breakdown),
    "grid": (conditions_of_grid, grid),
    "startup": (conditions_of_startup, startup),
    "loop": (conditions_of_loop, loop),
}
"""The caption and the table, by the first word of the record's name."""


def render(kind: str, record: Mapping[str, Any]) -> str:
    """The caption and table of a record.

    Args:
        kind: of `_TABLES`.
        record: of the script that has this name.
    """
    said, rows = _TABLES[kind]
    return f"{said(record)}\n\n{rows(record)}"


def page(text: str) -> str:
    """The page with every table from its record.

    Args:
        text: of the page; a table stands between `<!-- table: NAME -->` and `<!-- end -->`.
    """

    def filled(match: re.Match[str]) -> str:
        record = json.loads((RESULTS / f"{match[1]}.json").read_text(encoding="utf-8"))
        return f"<!-- table: {match[1]} -->\n{render(match[1].partition('-')[0], record)}\n<!-- end -->"

    return re.sub(r"<!-- table: ([\w-]+) -->\n.*?<!-- end -->", filled, text, flags=re.DOTALL)


def main(argv: Sequence[str]) -> int:
    """The exit status: 0."""
    text = page(PAGE.read_text(encoding="utf-8"))
    if list(argv) == ["--write"]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
