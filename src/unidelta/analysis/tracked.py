"""Records from Weights & Biases, rebuilt from what tracking sent there (docs/tracking.md).

A run's config holds its coordinates, spec and provenance, its summary the rest, flat. A run without a status in its
summary never came to a record (it still runs, or was killed), and runs of other programs have no spec: neither is one.
"""

import json
import math
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from unidelta.errors import RecordError, first_line
from unidelta.network.probe import answers
from unidelta.records.record import RunRecord, Status, from_json, to_json
from unidelta.records.store import Listing

PREFIX = "wandb:"
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_PROBE_S, _TIMEOUT_S = 5.0, 30
_PER_PAGE = 100


def is_offline_folder(folder: Path) -> bool:
    """Whether a folder holds W&B runs: `<results_dir>/wandb`, `results_dir` itself, or the folder of one run."""
    return bool(_run_files(folder))


def read_folder(folder: Path) -> Listing:
    """The records of offline runs, read with W&B's own reader; the last one of a repeated run.

    Raises:
        RecordError: no run of the folder has a record, or W&B's reader is missing.
    """
    records: dict[str, tuple[str, RunRecord]] = {}
    damaged: list[RecordError] = []
    for path in _run_files(folder):
        try:
            begin, config, summary = _transaction_log(path)
            record = record_of(str(begin.get("run_id")), config, summary, origin=str(path))
        except RecordError as error:
            damaged.append(error)
            continue
        if record is not None:
            started = str(begin.get("start_time", ""))
            last, _ = records.get(record.run_id, ("", record))
            if started >= last:
                records[record.run_id] = (started, record)
    return _listing([record for _, record in records.values()], damaged, f"W&B's offline runs in {folder}")


def read_project(source: str) -> Listing:
    """The records of a project, through `wandb.Api`.

    Args:
        source: `wandb:entity/project`, or `wandb:project` in your own account.

    Raises:
        RecordError: no such project or server, no permission to read it, or no run in it with a record.
    """
    path = source.removeprefix(PREFIX)
    if not 1 <= len(path.split("/")) <= 2 or not all(path.split("/")):
        raise RecordError(f"--source {source}", "that is not a project of W&B", "--source wandb:ENTITY/PROJECT")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # no reports about errors to anyone
    import wandb  # late: seconds, and not needed for records

    server = wandb.setup(settings=wandb.Settings(silent=True)).settings.base_url
    if not answers(server, timeout_s=_PROBE_S):
        why = f"W&B's server did not answer within {_PROBE_S:.0f} s"
        raise RecordError(f"--source {source}", why, "--source FOLDER, with the folder of offline runs")
    damaged: list[RecordError] = []
    records: list[RunRecord] = []
    try:
        for run in wandb.Api(timeout=_TIMEOUT_S).runs(path, lazy=False, per_page=_PER_PAGE):
            try:
                record = record_of(run.id, run.config, run.summary_metrics, origin=f"{path}/{run.id}")
            except RecordError as error:
                damaged.append(error)
                continue
            records += [record] if record is not None else []
    except (wandb.Error, ValueError) as error:
        why = f"W&B does not give it: {first_line(error)}"
        instead = "the project's name, and `wandb login` where it is not public"
        raise RecordError(f"--source {source}", why, instead) from None
    return _listing(records, damaged, source)


def record_of(run_id: str, config: Mapping[str, Any], summary: Mapping[str, Any], *, origin: str) -> RunRecord | None:
    """The record of one run; None if it has none.

    Args:
        run_id: the run's name.
        config: of W&B: coordinates, `spec` and `provenance`.
        summary: of W&B: `status`, `reason`, and numbers by names such as `metrics/test/rouge2`.
        origin: where it was found, for messages.

    Raises:
        RecordError: it has a status but is otherwise incomplete.
    """
    if "spec" not in config or "status" not in summary:
        return None
    repair = "the record itself, or the run again with force=true"
    if summary["status"] not in get_args(Status) or "provenance" not in config:
        raise RecordError(f"the run {origin} of W&B", "it lacks the status or the provenance of a run", repair)
    coordinates = {name: value for name, value in config.items() if name not in ("spec", "provenance", "_wandb")}
    if not {"scale", "task", "method", "seed"} <= coordinates.keys():
        raise RecordError(f"the run {origin} of W&B", "it has no scale, task, method or seed", repair)
    record = RunRecord(
        run_id=run_id,
        status=summary["status"],
        reason=summary.get("reason"),
        coordinates=coordinates,
        spec=config["spec"],
        provenance=config["provenance"],
        metrics=_unflattened(summary, "metrics"),
        parameters=_unflattened(summary, "parameters"),
        cost=_unflattened(summary, "cost"),
    )
    return from_json(to_json(record), origin=origin)  # as it is read from its file, NaN by name


def _unflattened(summary: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The nested form of what `unidelta.tracking.tracker.summary` flattened."""
    nested: dict[str, Any] = {}
    for name, value in summary.items():
        first, *path = name.split("/")
        if first != part or not path:
            continue
        at = nested
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = _NOT_FINITE.get(value, value) if isinstance(value, str) else value
    return nested


def _transaction_log(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The start of the run, its config and its summary."""
    begin: dict[str, Any] = {}
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    for entry in _entries(path):
        match entry["type"]:
            case "run":
                begin = entry["run"]
                config |= begin.get("config", {}).get("update", {})
            case "config":
                config |= entry["config"].get("update", {})
            case "summary":
                summary |= entry["summary"].get("update", {})
    return begin, config, summary


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Every entry of a transaction log, from `wandb leet inspect`; of a damaged log, those before the damage."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    from wandb.util import get_core_path  # late, as above

    command = [get_core_path(), "leet", "inspect", "--no-observability", "--json", "-run-file", str(path)]
    done = subprocess.run([*command, str(path.parents[1])], capture_output=True, text=True)
    if done.returncode and not done.stdout:
        why = f"W&B's reader cannot read it: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}"
        raise RecordError(f"the run {path} of W&B", why, "the record itself, or the run again with force=true")
    for line in done.stdout.splitlines():
        yield json.loads(line)


def _run_files(folder: Path) -> list[Path]:
    patterns = ("run-*.wandb", "*run-*/run-*.wandb", "wandb/*run-*/run-*.wandb")
    # `latest-run` is a link to one of the others
    return sorted(path for pattern in patterns for path in folder.glob(pattern) if not path.parent.is_symlink())


def _listing(records: list[RunRecord], damaged: list[RecordError], asked: str) -> Listing:
    if not records and not damaged:
        why = "no run of unidelta has finished there"
        raise RecordError(asked, why, "the folder or project of tracked runs: docs/tracking.md")
    records.sort(key=lambda record: (record.coordinates["scale"], record.coordinates["task"], record.run_id))
    return Listing(records=tuple(records), damaged=tuple(damaged))
