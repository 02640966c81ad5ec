"""`python -m unidelta.tasks score FILE --task TASK`: the task's metric again, from saved predictions.

FILE is JSONL with `prediction` and `reference` in every row, as a run writes it beside its record; where rows name
their `split`, each split is scored by itself.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unidelta.errors import UserError
from unidelta.tasks.jsonl import read_jsonl
from unidelta.tasks.registry import TASKS, task_kind
from unidelta.tasks.task import Column


def score(file: Path, task: str) -> dict[str, Any]:
    """The metric's signature, and by split its scores and `n`; a file without splits is one split, `all`.

    Raises:
        Problems: everything that is wrong with any row.
        DataError: the file cannot be read.
    """
    kind = task_kind(task)
    holds = "text" if kind.kind == "seq2seq" else "label"
    columns = (Column(path=("prediction",), holds=holds), Column(path=("reference",), holds=holds))
    splits: dict[str, list[tuple[Any, Any]]] = {}
    for row in read_jsonl(file, replace(kind, columns=columns)):
        splits.setdefault(str(row.get("split", "all")), []).append((row["prediction"], row["reference"]))
    scores = {
        split: {**kind.metric.score(*zip(*pairs, strict=True)), "n": len(pairs)} for split, pairs in splits.items()
    }
    return {"signature": kind.metric.signature(), **scores}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 2 for a request that cannot be met."""
    parser = argparse.ArgumentParser(prog="python -m unidelta.tasks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="score")
    command = commands.add_parser("score", help="the metric of saved predictions, as JSON")
    command.add_argument("file", type=Path, help="JSONL with prediction and reference in every row")
    command.add_argument("--task", required=True, choices=list(TASKS))
    arguments = parser.parse_args(argv)
    try:
        print(json.dumps(score(arguments.file, arguments.task), indent=1, ensure_ascii=False))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
