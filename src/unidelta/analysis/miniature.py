"""The tables of docs/miniature.md, from committed records: `python -m unidelta.analysis.miniature --write`.

Without `--write` it says whether the page shows what the records say (status 1 if not).
"""

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import mean

from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.page import command, markdown
from unidelta.exit_status import ExitStatus

RESULTS = Path("results/mini")
PAGE = Path("docs/miniature.md")
TASKS = {"xsum": "mini-XSum", "wmt_en_ro": "mini-WMT", "mnli": "mini-MNLI", "sst2": "mini-SST-2"}
MAIN_SEEDS, OTHER_SEEDS = 5, 3  # of the main table, and of the budget curves and the table with twice the steps
# As the paper's tables name them: method and position.
METHODS = {
    "frozen": ("frozen", None),
    "prompt": ("prompt", None),
    "BitFit": ("bitfit", None),
    "prefix (attn)": ("prefix", None),
    "SA (attn)": ("adapter", "attn"),
    "SA (ffn)": ("adapter", "ffn"),
    "PA (attn)": ("parallel_adapter", "attn"),
    "PA (ffn)": ("parallel_adapter", "ffn"),
    "scaled PA (ffn)": ("scaled_parallel_adapter", None),
    "LoRA (attn)": ("lora", "attn"),
    "LoRA (ffn)": ("lora", "ffn"),
    "MAM": ("mam", None),
    "full": ("full", None),
}
# What the budget curves are of, by the names that `unidelta.analysis.sides` has.
CURVES = {"prefix": "prefix (attn)", "sa_ffn": "SA (ffn)", "pa_ffn": "PA (ffn)", "lora_attn": "LoRA (attn)"}
# What the paper finds, first better than second, and where.
ORDERINGS = (
    ("PA (attn)", "SA (attn)", "Table 3"),
    ("PA (ffn)", "SA (ffn)", "Table 3"),
    ("PA (ffn)", "PA (attn)", "Table 4, Fig. 5"),
    ("LoRA (ffn)", "LoRA (attn)", "Table 4"),
    ("PA (ffn)", "prefix (attn)", "Fig. 4"),
    ("scaled PA (ffn)", "PA (ffn)", "Table 5"),
    ("scaled PA (ffn)", "LoRA (ffn)", "Table 5"),
    ("MAM", "prefix (attn)", "Table 6"),
    ("MAM", "scaled PA (ffn)", "Table 6"),
    ("full", "BitFit", "Table 6"),
)


def of(rows: list[Row], label: str, task: str | None = None) -> list[Row]:
    """The runs of an entry of `METHODS`, on one task or on all."""
    method, position = METHODS[label]
    return [
        row
        for row in rows
        if row["method"] == method and position in (None, row["position"]) and task in (None, row["task"])
    ]


def cell(rows: list[Row], score: str = "test", *, usual: int) -> str:
    """Mean and, in brackets, least and greatest; n where it is not `usual`; a dash for none, n alone for one."""
    scores = [row[score] for row in rows if not math.isnan(row[score])]
    if not scores:
        return f"0 of {len(rows)}" if rows else "–"
    if len(scores) == len(rows) == 1:
        return f"{scores[0]:.1f} (n=1)"
    planned = max(usual, len(rows))
    n = f", n={len(scores)}" + (f" of {planned}" if len(scores) < planned else "")
    return f"{mean(scores):.1f} [{min(scores):.1f}, {max(scores):.1f}{'' if len(scores) == planned == usual else n}]"


def methods(rows: list[Row], usual: int = MAIN_SEEDS) -> str:
    """Test scores of every method on every task, `usual` seeds each."""
    table = [["method", "tuned %", *TASKS.values(), "mini-MNLI, mismatched"]]
    for label in METHODS:
        percents = sorted({f"{row['percent']:.2g}" for row in of(rows, label)}, key=float)
        share = "–" if not percents else percents[0] if len(percents) == 1 else f"{percents[0]} to {percents[-1]}"
        scores = [cell(of(rows, label, task), usual=usual) for task in TASKS]
        mismatched = cell(of(rows, label, "mnli"), "mismatched", usual=usual)
        table.append([label, share.replace("1e+02", "100"), *scores, mismatched])
    return markdown(table)


def orderings(rows: list[Row]) -> str:
    """Differences of two methods, paired by seed: their mean, and in how many seeds the first is better."""
    table = [["the paper: first above second", "where", *TASKS.values()]]
    for better, worse, where in ORDERINGS:
        line = [f"{better} > {worse}", where]
        for task in TASKS:
            first, second = ({row["seed"]: row["test"] for row in of(rows, label, task)} for label in (better, worse))
            differences = [first[seed] - second[seed] for seed in first.keys() & second.keys()]
            differences = [difference for difference in differences if not math.isnan(difference)]
            n_better = sum(difference > 0 for difference in differences)
            line.append(f"{mean(differences):+.1f} ({n_better} of {len(differences)})" if differences else "–")
        table.append(line)
    return markdown(table)


def budgets(rows: list[Row]) -> str:
    """Test scores by the share of tuned parameters."""
    parts = []
    for task in ("xsum", "wmt_en_ro"):
        here = {side: [row for row in rows if (row["side"], row["task"]) == (side, task)] for side in CURVES}
        table = [[TASKS[task], *CURVES.values()]]
        for share in sorted({_rounded(row) for mine in here.values() for row in mine}):
            at = [[row for row in mine if _rounded(row) == share] for mine in here.values()]
            table.append([f"{share:g} %", *(cell(found, usual=OTHER_SEEDS) for found in at)])
        parts.append(markdown(table))
    return "\n\n".join(parts)


def _rounded(row: Row) -> float:
    return float(f"{row['percent']:.1g}" if row["percent"] < 1 else f"{row['percent']:.2g}")


def scales(rows: list[Row]) -> str:
    """Learning rate and s varied separately: dev scores."""
    parts = []
    for label in ("scaled PA (ffn)", "LoRA (attn)"):
        mine = of(rows, label)
        rates, values = (sorted({row[name] for row in mine}) for name in ("learning_rate", "s"))
        table = [[f"{label}, s", *(f"rate {rate:g}" for rate in rates)]]
        for s in values:
            at = [[row for row in mine if (row["s"], row["learning_rate"]) == (s, rate)] for rate in rates]
            table.append([f"{s:g}", *(f"{mean(row['dev'] for row in here):.1f}" if here else "–" for here in at)])
        parts.append(markdown(table))
    return "\n\n".join(parts)


def tables(results: Path) -> dict[str, str]:
    """Every table whose records are there, by the name of its place in the page."""
    made: dict[str, str] = {}
    sources: dict[str, tuple[tuple[str, ...], Callable[[list[Row]], str]]] = {
        "methods": (("main",), methods),
        "orderings": (("main",), orderings),
        "doubled": (("doubled",), partial(methods, usual=OTHER_SEEDS)),
        "doubled orderings": (("doubled",), orderings),
        "budgets": (("main", "paper"), budgets),
        "scales": (("scales",), scales),
    }
    there = {name for folders, _ in sources.values() for name in folders if (results / name).is_dir()}
    found = {name: rows(runs(results / name)) for name in sorted(there)}
    for name, (folders, make) in sources.items():
        if there.issuperset(folders):
            made[name] = make([row for folder in folders for row in found[folder]])
    return made


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.miniature`."""
    return command("unidelta.analysis.miniature", __doc__, PAGE, lambda: tables(RESULTS), None)


if __name__ == "__main__":
    sys.exit(main())
