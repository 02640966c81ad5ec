"""The tables of docs/miniature.md, from committed records: `python -m unidelta.analysis.miniature --write`.

Without `--write` it checks that the page agrees with the records (status 1 if not).
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean

from unidelta.analysis.difference import difference_on_test
from unidelta.analysis.frame import Row, rows, runs
from unidelta.analysis.in_print import percent_text, signed
from unidelta.analysis.names import TASKS as PUBLISHED_TASKS
from unidelta.analysis.names import task_in_records, task_title
from unidelta.analysis.oracle import ORACLE
from unidelta.analysis.page import command, markdown
from unidelta.analysis.paper_rows import ROWS
from unidelta.analysis.score import score_in
from unidelta.errors import ExitStatus

RESULTS = Path("results/mini")
PAGE = Path("docs/miniature.md")
TASKS = {task_in_records(task): task_title(task, "mini") for task in PUBLISHED_TASKS}
SEEDS = 3  # of the main table, of the budget curves and of the table with twice the steps
METHODS = (
    *("frozen", "prompt", "bitfit", "prefix", "sa_attn", "sa_ffn", "pa_attn", "pa_ffn"),
    *("scaled_pa_ffn", "lora_attn", "lora_ffn", "mam", "full_ft"),
)
"""The rows of the main table (`paper_rows`)."""
CURVES = ("prefix", "sa_ffn", "pa_ffn", "lora_attn")
"""The rows of the budget curves."""
# The paper's findings: first better than second, and where.
ORDERINGS = (
    ("pa_attn", "sa_attn", "Table 3"),
    ("pa_ffn", "sa_ffn", "Table 3"),
    ("pa_ffn", "pa_attn", "Table 4, Fig. 5"),
    ("lora_ffn", "lora_attn", "Table 4"),
    ("pa_ffn", "prefix", "Fig. 4"),
    ("scaled_pa_ffn", "pa_ffn", "Table 5"),
    ("scaled_pa_ffn", "lora_ffn", "Table 5"),
    ("mam", "prefix", "Table 6"),
    ("mam", "scaled_pa_ffn", "Table 6"),
    ("full_ft", "bitfit", "Table 6"),
)


def of(rows: list[Row], name: str, task: str | None = None) -> list[Row]:
    """The runs of a row of the tables, on one task or on all."""
    return [row for row in rows if row["side"] == name and task in (None, row["task"])]


def cell(rows: list[Row], score: str = "test", *, usual: int) -> str:
    """Mean ± half the 95 % t-interval; n if it is not `usual`; a dash for no run."""
    found = score_in(score, rows)
    if not found.n:
        return f"0 of {len(rows)}" if rows else "–"
    planned = max(usual, len(rows))
    n = f" (n={found.n}{f' of {planned}' if 1 < found.n < planned else ''})"
    spread = "" if found.half_width is None else f" ± {found.half_width:.1f}"
    return f"{found.mean:.1f}{spread}{'' if found.n == planned == usual else n}"


def methods(rows: list[Row]) -> str:
    """Test scores of every method on every task, and of the oracle, which knows all but the noise."""
    table = [["method", "tuned %", *TASKS.values(), "mini-MNLI, mismatched"]]
    for name in METHODS:
        percents = sorted({percent_text(row["percent"]) for row in of(rows, name)}, key=float)
        share = "–" if not percents else percents[0] if len(percents) == 1 else f"{percents[0]} to {percents[-1]}"
        scores = [cell(of(rows, name, task), usual=SEEDS) for task in TASKS]
        mismatched = cell(of(rows, name, "mnli"), "mismatched", usual=SEEDS)
        table.append([ROWS[name].label, share, *scores, mismatched])
    known = [*zip(TASKS, ("rouge2", "bleu", "accuracy", "accuracy"), strict=True), ("mnli", "mismatched")]
    table.append(["oracle", "–", *(f"{ORACLE[key]:.1f}" for key in known)])
    return markdown(table)


def decoder(rows: list[Row]) -> str:
    """Test scores of the decoder-only backbone on mini-XSum, in the order of the main table."""
    table = [["method", "tuned %", TASKS["xsum"]]]
    for name in METHODS:
        if mine := of(rows, name):
            table.append([ROWS[name].label, percent_text(mine[0]["percent"]), cell(mine, usual=SEEDS)])
    return markdown(table)


def orderings(rows: list[Row]) -> str:
    """Differences of two methods, paired by seed: the mean, and in how many seeds the first is better."""
    table = [["the paper: first above second", "where", *TASKS.values()]]
    for better, worse, where in ORDERINGS:
        line = [f"{ROWS[better].label} > {ROWS[worse].label}", where]
        for task in TASKS:
            scores = (score_in("test", of(rows, name, task)) for name in (better, worse))
            first, second = (dict(zip(one.seeds, one.values, strict=True)) for one in scores)
            differences = [first[seed] - second[seed] for seed in first.keys() & second.keys()]
            n_better = sum(difference > 0 for difference in differences)
            line.append(f"{signed(mean(differences), 1)} ({n_better} of {len(differences)})" if differences else "–")
        table.append(line)
    return markdown(table)


def gaps(usual: list[Row], doubled: list[Row]) -> str:
    """What full fine-tuning scores more than each method, with the usual steps and with twice as many.

    Below it, how many of the orderings keep their sign.
    """
    table = [["full fine-tuning minus", *TASKS.values()]]
    for name in METHODS:
        line = [ROWS[name].label]
        for task in TASKS:
            before, after = (_less(rows, "full_ft", name, task) for rows in (usual, doubled))
            line.append("–" if before is None or after is None else f"{before:.1f} → {after:.1f}")
        if name != "full_ft" and set(line[1:]) != {"–"}:
            table.append(line)
    pairs = [
        (_less(usual, better, worse, task), _less(doubled, better, worse, task))
        for better, worse, _ in ORDERINGS
        for task in TASKS
    ]
    both = [(before, after) for before, after in pairs if before is not None and after is not None]
    n_kept = sum((before > 0) == (after > 0) for before, after in both)
    return f"{markdown(table)}\n\nOf the {len(both)} differences of the orderings, {n_kept} keep their sign."


def _less(rows: list[Row], first: str, second: str, task: str) -> float | None:
    """The difference of two rows' means; None if one has no score."""
    return difference_on_test(of(rows, first, task), of(rows, second, task)).mean


def budgets(rows: list[Row]) -> str:
    """Test scores by the share of tuned parameters."""
    parts = []
    for task in ("xsum", "wmt_en_ro"):
        here = {side: of(rows, side, task) for side in CURVES}
        table = [[TASKS[task], *(ROWS[name].label for name in CURVES)]]
        for share in sorted({_rounded(row) for mine in here.values() for row in mine}):
            at = [[row for row in mine if _rounded(row) == share] for mine in here.values()]
            table.append([f"{share:g} %", *(cell(found, usual=SEEDS) for found in at)])
        parts.append(markdown(table))
    return "\n\n".join(parts)


def _rounded(row: Row) -> float:
    return float(f"{row['percent']:.1g}" if row["percent"] < 1 else f"{row['percent']:.2g}")


def scales(rows: list[Row]) -> str:
    """Learning rate and s varied separately: dev scores."""
    parts = []
    for name in ("scaled_pa_ffn", "lora_attn"):
        mine = [row for row in rows if (row["method"], row["position"]) == _typed(name)]  # at every s
        rates, values = (sorted({row[name] for row in mine}) for name in ("learning_rate", "s"))
        table = [[f"{ROWS[name].label}, s", *(f"rate {rate:g}" for rate in rates)]]
        for s in values:
            at = [[row for row in mine if (row["s"], row["learning_rate"]) == (s, rate)] for rate in rates]
            table.append([f"{s:g}", *(f"{mean(row['dev'] for row in here):.1f}" if here else "–" for here in at)])
        parts.append(markdown(table))
    return "\n\n".join(parts)


def times(found: Mapping[str, list[Row]]) -> str:
    """How many runs there are in each folder, and how long they took, one after the other."""
    table = [["`results/mini/`", "runs", "hours of one core"]]
    for name, mine in found.items():
        table.append([name, str(len(mine)), f"{sum(row['seconds'] for row in mine) / 3600:.1f}"])
    return markdown(table)


def _typed(name: str) -> tuple[str, str]:
    request = ROWS[name].request()
    return request.method.name, request.position.name


def tables(results: Path) -> dict[str, str]:
    """Every table with records, by its name in the page."""
    contents: dict[str, str] = {}
    sources: dict[str, tuple[tuple[str, ...], Callable[[list[Row]], str]]] = {
        "methods": (("main",), methods),
        "orderings": (("main",), orderings),
        "doubled": (("doubled",), methods),
        "doubled orderings": (("doubled",), orderings),
        "budgets": (("main", "paper"), budgets),
        "scales": (("scales",), scales),
        "decoder": (("decoder",), decoder),
    }
    found = {path.name: rows(runs(path)) for path in sorted(results.iterdir()) if (path / "mini").is_dir()}
    for name, (folders, make) in sources.items():
        if found.keys() >= set(folders):
            contents[name] = make([row for folder in folders for row in found[folder]])
    if found.keys() >= {"main", "doubled"}:
        contents["gaps"] = gaps(found["main"], found["doubled"])
    return {**contents, "times": times(found)}


def main() -> ExitStatus:
    """The exit status of `python -m unidelta.analysis.miniature`."""
    return command("unidelta.analysis.miniature", __doc__, PAGE, lambda: tables(RESULTS))


if __name__ == "__main__":
    sys.exit(main())
