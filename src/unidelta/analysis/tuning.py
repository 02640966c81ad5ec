"""Write conf/tuned/mini from the tuning sweep: for each method and task the learning rate with the best mean dev score.

The mean is over the seeds of the sweep. If means are equal, or nothing is generated on dev (`wmt_en_ro`), the
lowest mean dev loss decides. `python -m unidelta.analysis.tuning` prints the means; `--write` writes the files. Test
scores are not used.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pandas as pd

from unidelta.analysis.frame import Row, rows, runs
from unidelta.console.closed_pipe import drop_unread_output
from unidelta.errors import UserError
from unidelta.extensions.named_paths import path_argument
from unidelta.extensions.paths import CONF

TRIALS = Path("results/mini/tuning")
FOLDER = CONF / "tuned" / "mini"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The learning rate of a method on a task.

    Args:
        learning_rate: the chosen learning rate.
        n_rates: the number of candidates.
        seeds: of the trials, sorted.
        prefix_init: the prefix initialisation of all trials; empty for methods without a prefix.
    """

    learning_rate: float
    n_rates: int
    seeds: tuple[int, ...]
    prefix_init: str


def best(trials: pd.DataFrame) -> dict[tuple[str, str], Choice]:
    """The choice for each task and method; the lowest of the rates with equal score and loss.

    A rate at which the run of any seed did not complete is never chosen.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows(trials):
        found.setdefault((row["task"], row["method"]), []).append(row)
    return {key: choice for key, mine in found.items() if (choice := _choice(mine)) is not None}


def _choice(trials: list[Row]) -> Choice | None:
    """The choice among the trials of one method and task; None if no rate has a complete run of every seed."""
    seeds = sorted({trial["seed"] for trial in trials})
    merits: dict[float, tuple[float, float]] = {}
    rates = sorted({trial["learning_rate"] for trial in trials})
    for rate in rates:
        mine = [trial for trial in trials if trial["learning_rate"] == rate and trial["status"] == "complete"]
        if sorted(trial["seed"] for trial in mine) == seeds:
            score = fmean(trial["dev"] for trial in mine)
            merits[rate] = (0.0 if math.isnan(score) else score, -fmean(trial["dev_loss"] for trial in mine))
    if not merits:
        return None
    return Choice(
        learning_rate=max(merits, key=lambda rate: merits[rate]),
        n_rates=len(rates),
        seeds=tuple(seeds),
        prefix_init=trials[0]["prefix_init"],
    )


def tuned_file(method: str, task: str, choice: Choice) -> str:
    """The YAML of one method and task, `<task>_<method>`; starts from the paper's tuned sizes if there are any."""
    seeds = f"seed{'s' * (len(choice.seeds) > 1)} {', '.join(map(str, choice.seeds))}"
    lines = [
        "# @package _global_",
        f"# Best on dev of {choice.n_rates} learning rates: sweeps/mini_tuning.yaml, {seeds}.",
    ]
    published = CONF / "tuned" / "paper" / f"{task}_{method}.yaml"
    if published.is_file() and "\nmethod:" in published.read_text(encoding="utf-8"):  # not its training
        lines += ["defaults:", f"  - /tuned/paper/{task}_{method}"]
    if choice.prefix_init:
        lines += ["method:", f"  attn: {{init: {choice.prefix_init}}}"]
    return "\n".join([*lines, "training:", f"  learning_rate: {choice.learning_rate:g}"]) + "\n"


def main() -> int:
    """The exit status: 0, or 2 for an invalid request."""
    drop_unread_output()
    parser = argparse.ArgumentParser(prog="python -m unidelta.analysis.tuning", description=__doc__)
    parser.add_argument("--trials", type=path_argument, default=TRIALS)
    parser.add_argument("--write", action="store_true", help=f"write {FOLDER}")
    arguments = parser.parse_args()
    try:
        trials = runs(arguments.trials)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    trials["shown"] = trials["dev"].fillna(trials["dev_loss"])
    table = trials.pivot_table(index=["task", "method"], columns="learning_rate", values="shown")
    print("mean dev score over the seeds, or dev loss where nothing is generated on dev")
    print(table.to_string(na_rep="–", float_format=lambda value: f"{value:.3g}"))
    if arguments.write:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for (task, method), choice in best(trials).items():
            (FOLDER / f"{task}_{method}.yaml").write_text(tuned_file(method, task, choice), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
