"""`python -m unidelta.tasks score FILE --task TASK`: the task's metric again, from saved predictions.

FILE is JSONL with `prediction` and `reference` in every row, as a run writes it beside its record; where rows name
their `split`, each split is scored by itself, and where they have a `raw_reference`, against that as well. The numbers
are those of the record, intervals included; the loss needs the model and is not among them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unidelta.errors import UserError
from unidelta.extensions.named_paths import path_argument
from unidelta.tasks.jsonl import read_jsonl
from unidelta.tasks.metrics.scored import interval_signature, scored
from unidelta.tasks.registry import TASKS, task_kind
from unidelta.tasks.task import Column, Row, TaskKind


def score(file: Path, task: str) -> dict[str, Any]:
    """The signatures, and by split its scores, `n` and intervals; a file without splits is one split, `all`.

    Raises:
        Problems: everything that is wrong with any row.
        DataError: the file cannot be read.
    """
    kind = task_kind(task)
    names = ["prediction", "reference"]
    rows = _read(file, kind, names)
    if any("raw_reference" in row for row in rows):
        names.append("raw_reference")
        rows = _read(file, kind, names)  # again, because a row without it is a fault now
    splits: dict[str, list[Row]] = {}
    for row in rows:
        splits.setdefault(str(row.get("split", "all")), []).append(row)
    return {
        "signature": kind.metric.signature(),
        "interval_signature": interval_signature(),
        **{
            split: scored(kind.metric, *([row[name] for row in mine] for name in names)).report()
            for split, mine in splits.items()
        },
    }


def _read(file: Path, kind: TaskKind, names: Sequence[str]) -> list[Row]:
    holds = "text" if kind.kind == "seq2seq" else "label"
    return read_jsonl(file, replace(kind, columns=tuple(Column(path=(name,), holds=holds) for name in names)))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 2 for a request that cannot be met."""
    parser = argparse.ArgumentParser(prog="python -m unidelta.tasks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="score")
    command = commands.add_parser("score", help="the metric of saved predictions, as JSON")
    command.add_argument("file", type=path_argument, help="JSONL with prediction and reference in every row")
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
