"""The command that fills a missing cell."""

import shlex

from unidelta.analysis.names import Scale, task_in_records
from unidelta.analysis.paper_rows import words_of_key
from unidelta.analysis.plan import LOOKS, SEEDS
from unidelta.analysis.runs import Runs
from unidelta.analysis.source import OF_TABLES

MINI_SEEDS = SEEDS[: LOOKS[0]]
"""Those of the first look at the data (results/plan.json)."""
PAPER_SEEDS = {"Table 2": (42, 2, 4, 6, 8)}
"""The seeds of sweeps/ where every row of a table has several."""
THREE_SEEDS = (42, 15217, 65537)
"""The seeds of the rows for which Table 6 prints a standard deviation."""


def seeds(artefact: str, *, scale: Scale, has_spread: bool) -> tuple[int, ...]:
    """The seeds to run for a row; () for the default seed.

    Args:
        artefact: its name in `results/paper/`, e.g. `Table 6`.
        scale: at mini, every row has several, for a t-interval.
        has_spread: whether the paper prints a standard deviation for the row.
    """
    if scale == "mini":
        return MINI_SEEDS
    return PAPER_SEEDS.get(artefact, THREE_SEEDS if artefact == "Table 6" and has_spread else ())


def command(key: str, task: str, runs: Runs, *, seeds: tuple[int, ...]) -> str:
    """The command that makes the runs of a cell.

    Args:
        key: the design (see `paper_rows`).
        task: its name in `results/paper/`.
        runs: to which they are added: of the same scale, and in the same folder.
        seeds: one run for each; () for one run with the default seed.
    """
    return " ".join(["python train.py", *(["-m"] if len(seeds) > 1 else []), words(key, task, runs, seeds=seeds)])


def words(key: str, task: str, runs: Runs, *, seeds: tuple[int, ...]) -> str:
    """The same without the program, as a line of a sweep has it; `seeds` may be several."""
    found = [words_of_key(key), f"task={task_in_records(task)}"]
    if runs.scale == "paper":
        found.append("scale=paper")
    if seeds:
        found.append(f"seed={','.join(map(str, seeds))}")
    if runs.origin != str(OF_TABLES["paper"]):  # train.py's own default
        found.append(shlex.quote(f"results_dir={runs.origin}"))
    if runs.origin == str(OF_TABLES["mini"]):  # the records that the plan is about
        found.append("plan=results/plan.json")
    return " ".join(found)
