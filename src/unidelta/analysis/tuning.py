"""From the tuning sweep to conf/tuned/mini: for each method and task the learning rate with the best dev score.

`python -m unidelta.analysis.tuning` prints the trials; `--write` writes the files. Test scores are not looked at.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from unidelta.analysis.frame import runs
from unidelta.errors import UserError
from unidelta.paths import CONF

TRIALS = Path("results/mini/tuning")
FOLDER = CONF / "tuned" / "mini"


def best(trials: pd.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    """The trial with the best dev score for each task and method; of equal ones that with the lower rate."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for trial in sorted(_complete(trials), key=lambda trial: trial["learning_rate"]):
        key = trial["task"], trial["method"]
        if key not in found or trial["dev"] > found[key]["dev"]:
            found[key] = trial
    return found


def _complete(trials: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[Any, Any]] = trials.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows if row["status"] == "complete"]


def tuned_file(method: str, task: str, rate: float, n: int) -> str:
    """The YAML of one method and task; it begins with what the paper tunes, where it does."""
    lines = ["# @package _global_", f"# Best dev score of {n} learning rates: sweeps/mini_tuning.yaml, seed 1001."]
    if (CONF / "tuned" / "paper" / f"{task}_{method}.yaml").is_file():
        lines += ["defaults:", f"  - /tuned/paper/{task}_{method}"]
    return "\n".join([*lines, "training:", f"  learning_rate: {rate:g}"]) + "\n"


def main() -> int:
    """The exit status: 0, or 2 for a request that cannot be met."""
    parser = argparse.ArgumentParser(prog="python -m unidelta.analysis.tuning", description=__doc__)
    parser.add_argument("--trials", type=Path, default=TRIALS)
    parser.add_argument("--write", action="store_true", help=f"write {FOLDER}")
    arguments = parser.parse_args()
    try:
        trials = runs(arguments.trials)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    table = trials.pivot_table(index=["task", "method"], columns="learning_rate", values="dev")
    print(table.round(1).to_string(na_rep="–"))
    for (task, method), trial in best(trials).items():
        n = sum((row["task"], row["method"]) == (task, method) for row in _complete(trials))
        content = tuned_file(method, task, trial["learning_rate"], n)
        if arguments.write:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{task}_{method}.yaml").write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
