"""From the tuning sweep to conf/tuned/mini: for each method and task the learning rate with the best dev score.

Where scores are equal, or nothing is generated on dev (`wmt_en_ro`), the lowest dev loss decides.
`python -m unidelta.analysis.tuning` prints the trials; `--write` writes the files. Test scores are not looked at.
"""

import argparse
import math
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
    """The trial with the best dev score for each task and method; of equal scores that with the lower dev loss."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for trial in sorted(_complete(trials), key=lambda trial: trial["learning_rate"]):
        key = trial["task"], trial["method"]
        if key not in found or _merit(trial) > _merit(found[key]):
            found[key] = trial
    return found


def _merit(trial: dict[str, Any]) -> tuple[float, float]:
    score, loss = trial["dev"], trial["dev_loss"]
    return (0.0 if math.isnan(score) else score, -loss)


def _complete(trials: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[Any, Any]] = trials.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows if row["status"] == "complete"]


def tuned_file(method: str, task: str, rate: float, n: int, *, prefix_init: str = "") -> str:
    """The YAML of one method and task; it begins with the sizes that the paper tunes, where it does.

    Args:
        method, task: its name, `<task>_<method>`.
        rate: the learning rate.
        n: among how many it was chosen.
        prefix_init: how the prefixes of all the trials began; empty for methods without a prefix.
    """
    lines = ["# @package _global_", f"# Best on dev of {n} learning rates: sweeps/mini_tuning.yaml, seed 1001."]
    published = CONF / "tuned" / "paper" / f"{task}_{method}.yaml"
    if published.is_file() and "\nmethod:" in published.read_text(encoding="utf-8"):  # not its training
        lines += ["defaults:", f"  - /tuned/paper/{task}_{method}"]
    if prefix_init:
        lines += ["method:", f"  attn: {{init: {prefix_init}}}"]
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
    trials["shown"] = trials["dev"].fillna(trials["dev_loss"])
    table = trials.pivot_table(index=["task", "method"], columns="learning_rate", values="shown")
    print("dev score, or dev loss where nothing is generated on dev")
    print(table.to_string(na_rep="–", float_format=lambda value: f"{value:.3g}"))
    for (task, method), trial in best(trials).items():
        n = sum((row["task"], row["method"]) == (task, method) for row in _complete(trials))
        content = tuned_file(method, task, trial["learning_rate"], n, prefix_init=trial["prefix_init"])
        if arguments.write:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{task}_{method}.yaml").write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
