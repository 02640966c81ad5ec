"""`python -m unidelta.tasks score FILE`: recompute a run's metrics from its saved predictions.

FILE is JSONL with `prediction` and `reference` in every row, as a run writes it next to its record. If rows have a
`split`, each split is scored separately; if they have a `raw_reference`, they are also scored against it. The scores
equal the record's, intervals included, except for the loss, which needs the model. The metrics are those of the
record next to FILE, of `--task TASK`, or `--metrics NAME,NAME`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from unidelta.console.command import as_command
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ConfigError
from unidelta.extensions.folders import add_folder, config_file, config_names
from unidelta.extensions.named_paths import path_argument
from unidelta.extensions.suggestions import suggestions
from unidelta.tasks.faults import Faults
from unidelta.tasks.file_rows import read_rows
from unidelta.tasks.jsonl import read_jsonl
from unidelta.tasks.kind import KINDS, Output
from unidelta.tasks.labels import read_label
from unidelta.tasks.metrics.metric import METRICS, Metric
from unidelta.tasks.metrics.scored import interval_signature, scored, signature
from unidelta.tasks.task import Row

_PREDICTIONS = ".predictions.jsonl"
_A = {"text": "text", "label": "a label"}
_MANY = {"text": "texts", "label": "labels"}


def score(file: Path, metrics: Sequence[Metric]) -> dict[str, Any]:
    """The signatures, and each split's scores, `n` and intervals; a file without splits is one split, `all`.

    Raises:
        Problems: everything that is wrong with any row.
        DataError: the file cannot be read.
    """
    names, rows = _read(file, holds=metrics[0].fits)
    splits: dict[str, list[Row]] = {}
    for row in rows:
        splits.setdefault(str(row.get("split", "all")), []).append(row)
    return {
        "signature": signature(metrics),
        "interval_signature": interval_signature(),
        **{
            split: scored(metrics, *([row[name] for row in mine] for name in names)).report()
            for split, mine in splits.items()
        },
    }


def _read(file: Path, *, holds: str) -> tuple[list[str], list[Row]]:
    """The names of the compared columns, and the rows."""
    faults = Faults(f"predictions from {file}", file.name)
    table = read_rows(file, read_jsonl, faults, instead="a readable file")
    names = ["prediction", "reference", *(["raw_reference"] if "raw_reference" in table.columns else [])]
    type_ = str if holds == "text" else int | str
    for number, row in table.rows:
        for name in names:
            if not isinstance(row, dict) or name not in row:
                has = ", ".join(sorted(row)) if isinstance(row, dict) else "none"
                what = f"the column is missing; the row has {has}"
                faults.add(row=number, column=name, what=what, instead=f"a row with {', '.join(names)}")
            elif row[name] is None:
                faults.add(row=number, column=name, what=f"null where {_A[holds]} is needed", instead=_A[holds])
            elif not isinstance(row[name], type_) or isinstance(row[name], bool):
                what = f"{row[name]!r} is of type {type(row[name]).__name__}, not {_A[holds]}"
                faults.add(row=number, column=name, what=what, instead=_A[holds])
            elif holds == "label":
                row[name] = read_label(row[name])
    faults.raise_if_any()
    return names, [row for _, row in table.rows]


def _metrics(file: Path, task: str | None, typed: str | None) -> list[Metric]:
    """The requested metrics: by name, by task or from the record next to the file.

    Raises:
        ConfigError: there is no such metric or task, no record, or the metrics compare different things.
    """
    output = _output_of_record(file)
    if typed is not None:
        names, asked = [name.strip() for name in typed.split(",")], f"--metrics {typed}"
    elif task is not None:
        names, asked = _of_task(task), f"--task {task}"
    else:
        names, asked = _of_record(file), f"score {file}"
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        known = sorted(metric.name for metric in METRICS.values() if output in (None, metric.fits))
        meant = [suggestions(name, known, n=1) if name in unknown else [name] for name in names]
        fitting = ",".join(name for (name,) in meant) if all(meant) else f"with any of {', '.join(known)}"
        own = "" if typed is not None else "--config-dir DIR, the folder with your own metrics; or "
        raise ConfigError(asked, f"there is no metric {', '.join(unknown)}", f"{own}--metrics {fitting}")
    metrics = [METRICS[name] for name in names]
    if len({metric.fits for metric in metrics}) > 1:
        why = "some of them compare texts and some labels"
        raise ConfigError(asked, why, "metrics of one kind: docs/tasks.md")
    if output not in (None, metrics[0].fits):
        why = f"{names[0]} compares {_MANY[metrics[0].fits]}, and the run of that file predicted {_MANY[output]}"
        fitting = ", ".join(sorted(metric.name for metric in METRICS.values() if metric.fits == output))
        raise ConfigError(asked, why, f"--metrics with any of {fitting}")
    return metrics


def _check(file: Path) -> None:
    """Refuse a file that is not there, and a record in place of its predictions.

    Raises:
        ConfigError: it is one of them.
    """
    beside = file.with_name(file.stem + _PREDICTIONS)
    if file.is_dir():
        found = next(
            (str(each) for each in sorted(file.glob(f"*{_PREDICTIONS}"))), f"a run's RUN_ID{_PREDICTIONS} in it"
        )
        raise ConfigError(f"score {file}", "it is a folder, and predictions are a file", found)
    if not file.is_file():
        raise ConfigError(f"score {file}", "there is no such file", f"a run's RUN_ID{_PREDICTIONS}")
    if file.suffix == ".json" and beside.is_file():
        raise ConfigError(f"score {file}", "it is the record of a run, whose predictions lie beside it", str(beside))


def _of_task(task: str) -> list[str]:
    """The metrics in a task's file, or in the files in its `defaults`."""
    file = config_file("task", task)
    if file is None:
        raise ConfigError(f"--task {task}", "there is no such task", f"one of: {', '.join(config_names('task'))}")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    own = content.get("task", {}).get("metrics")
    if own is not None:
        return [str(name) for name in own]
    bases = [entry for entry in content.get("defaults", ()) if isinstance(entry, str) and entry != "_self_"]
    if not bases:
        raise ConfigError(f"--task {task}", f"{file} names no metrics", "--metrics NAME,NAME")
    return _of_task(bases[-1])


def _task_of_record(file: Path) -> dict[str, Any]:
    """The task of the run whose record is next to its predictions; empty without a record."""
    record = file.with_name(file.name.removesuffix(_PREDICTIONS) + ".json")
    try:
        return dict(json.loads(record.read_text(encoding="utf-8"))["spec"]["task"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _output_of_record(file: Path) -> Output | None:
    """What that run predicted; None without a record, or if its kind of task is unknown here."""
    kind = str(_task_of_record(file).get("kind"))
    return KINDS[kind].output if kind in KINDS else None


def _of_record(file: Path) -> list[str]:
    """The metrics of the run whose record is next to its predictions."""
    task = _task_of_record(file)
    if isinstance(task.get("metrics"), list):
        return [str(name) for name in task["metrics"]]
    if isinstance(task.get("name"), str):
        return _of_task(task["name"])
    why = "there is no run record next to it that would say which metrics to use"
    raise ConfigError(f"score {file}", why, "--metrics NAME,NAME or --task TASK")


@as_command
def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 2 for an invalid request."""
    parser = Parser(prog=program("python -m unidelta.tasks"), description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="score")
    command = commands.add_parser("score", help="print the metrics of saved predictions as JSON")
    command.add_argument("file", type=path_argument, help="JSONL with prediction and reference in every row")
    command.add_argument("--task", help="use this task's metrics instead of those in the record next to the file")
    command.add_argument("--metrics", help="names of metrics, separated by commas")
    command.add_argument(
        "--config-dir", action=Once, type=path_argument, help="a folder with your own tasks and metrics"
    )
    arguments = parser.parse_args(argv)
    if arguments.config_dir is not None:
        add_folder(arguments.config_dir)
    _check(arguments.file)
    metrics = _metrics(arguments.file, arguments.task, arguments.metrics)
    print(json.dumps(score(arguments.file, metrics), indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
