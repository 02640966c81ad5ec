"""The sources of a report's runs: the project's records, any folder of records, or W&B."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from unidelta.analysis.frame import every_run, frame_of, table_of
from unidelta.analysis.in_print import short
from unidelta.analysis.names import Scale
from unidelta.analysis.runs import Runs
from unidelta.analysis.tracked import PREFIX, is_offline_folder, read_folder, read_project
from unidelta.errors import Problems, RecordError, UserError
from unidelta.extensions.named_paths import as_path
from unidelta.extensions.paths import RESULTS
from unidelta.records.record import RunRecord
from unidelta.records.store import RecordStore

RECORDS = "records"
"""The name of the project's own records."""
MINI = RESULTS / "mini"
OF_TABLES = {"mini": Path("results/mini/paper"), "paper": Path("results/runs")}
"""The folders of the paper's sweeps, where the commands for missing cells write their runs, as typed in a checkout."""
COMPARED = ("main", "paper")
"""Folders of the miniature whose runs are those of the paper's designs; others have other steps, rates or backbones."""


def read(source: str, *, scale: Scale) -> Runs:
    """The runs of one scale, each once: it may lie in two folders, and be complete in one of them.

    A row has the `path` of its record, from the source's folder: "" in W&B, which has no files of records.

    Args:
        source: `records`; a folder with `<scale>/<task>/<run_id>.json` in it or in its folders; a folder of W&B's
            offline runs; or `wandb:entity/project`.
        scale: mini or paper; records of the other one are left out. The project's own may be none at all.

    Raises:
        RecordError: the folder is not there, or has no records of this scale.
        Problems: every record that is damaged, of a future version, or has a score that is not a number; every group
            of runs that would be averaged and differs by more than the seed.
    """
    top = MINI.parent if source == RECORDS else Path(source)
    best: dict[str, tuple[RunRecord, str]] = {}
    faults: list[UserError] = []
    for folder, found in _found(source, scale):
        if isinstance(found, RecordError):
            faults.append(found)
        elif found.coordinates["scale"] == scale and _is_better(found, best.get(found.run_id)):
            file = Path(scale) / found.coordinates["task"] / f"{found.run_id}.json"
            best[found.run_id] = found, "" if folder is None else str(folder.relative_to(top) / file)
    origin = str(OF_TABLES[scale]) if source == RECORDS or source.startswith(PREFIX) else source
    frame = frame_of([record for record, _ in best.values()], origin=origin, faults=faults)
    if frame.empty and source != RECORDS:
        why = f"there are no records of scale {scale} under it"
        raise RecordError(f"--source {source}", why, "a folder with <scale>/<task>/<run_id>.json, such as results/runs")
    frame["path"] = [path for _, path in best.values()]
    return checked(Runs.of(frame, scale=scale, origin=origin))


def every(source: str) -> pd.DataFrame:
    """Every run of a source, of any scale, task and metric, as `unidelta.runs` has them.

    Args:
        source: as in `read`.

    Raises:
        RecordError: the folder is not there, or has no records.
        Problems: every record that is damaged.
    """
    if source == RECORDS:
        return every_run(MINI.parent)
    folder = as_path(source, asked=f"--source {source}")
    if not source.startswith(PREFIX):
        if not folder.is_dir():
            raise RecordError(f"--source {source}", "there is no such folder", _instead(folder))
        if not is_offline_folder(folder):
            return every_run(folder)
    listing = read_project(source) if source.startswith(PREFIX) else read_folder(folder)
    if listing.damaged:
        raise Problems(listing.damaged)
    return table_of(listing.records)


def _is_better(found: RunRecord, other: tuple[RunRecord, str] | None) -> bool:
    """Whether it stands for its run: the first copy that is complete, else the first one."""
    return other is None or (other[0].status != "complete" and found.status == "complete")


def _found(source: str, scale: Scale) -> Iterator[tuple[Path | None, RunRecord | RecordError]]:
    """The records, and their folder; None for W&B."""
    if source.startswith(PREFIX):
        listing = read_project(source)
    else:
        folders = _own(scale) if source == RECORDS else _below(Path(source))
        is_empty = True
        for folder in folders:
            for found in RecordStore(root=folder).read_each():
                is_empty = False
                yield folder, found
        if not is_empty or source == RECORDS or not is_offline_folder(Path(source)):
            return
        listing = read_folder(Path(source))
    yield from ((None, found) for found in (*listing.records, *listing.damaged))


_ONE_SETTING = "--source FOLDER with one of the two; or report.py board, which has a row for each setting"


def checked(runs: Runs) -> Runs:
    """The runs, if all that would be averaged differ only by the seed.

    Raises:
        Problems: each group that differs in more.
    """
    faults: list[UserError] = []
    for (key, task), rows in runs.by_side.items():
        if not key:
            continue
        complete = [row for row in rows if row["status"] == "complete"]
        first = (complete or rows)[0]
        other = next((row for row in complete if row["settings"] != first["settings"]), None)
        twice = sorted(_twice(row["seed"] for row in complete))
        if other is not None:
            listed = "; ".join(_differences(json.loads(first["settings"]), json.loads(other["settings"])))
            why = f"{first['run_id']} and {other['run_id']} differ by more than the seed: {listed}"
            faults.append(RecordError(f"the mean of {key} on {task}", why, _ONE_SETTING))
        elif twice:
            why = f"there are two runs of seed {', '.join(map(str, twice))}"
            faults.append(RecordError(f"the mean of {key} on {task}", why, _ONE_SETTING))
    if faults:
        raise Problems(faults)
    return runs


def _own(scale: Scale) -> list[Path]:
    if scale == "paper":
        return [RESULTS / "runs"]
    return [folder for name in COMPARED if (folder := MINI / name).is_dir()]


def _below(folder: Path) -> list[Path]:
    """The folder and its subfolders with records, so that `results/mini` includes all of its sweeps."""
    if not folder.is_dir():
        raise RecordError(f"--source {folder}", "there is no such folder", _instead(folder))
    return [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]


def _instead(folder: Path) -> str:
    """What to type in place of a folder that is not there."""
    own = f"--source {RECORDS}, the project's own runs, or a folder with <scale>/<task>/<run_id>.json"
    is_default = folder == OF_TABLES["paper"]
    return f"python train.py first, which writes its runs there; {own}" if is_default else own


def _twice(values: Iterable[int]) -> set[int]:
    return {value for value, n in Counter(values).items() if n > 1}


def _differences(first: Mapping[str, Any], second: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The differences of two settings, e.g. `training.max_steps is 400 and 800`."""
    for name in sorted(first.keys() | second.keys()):
        mine, theirs = first.get(name), second.get(name)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            yield from _differences(mine, theirs, f"{prefix}{name}.")
        elif mine != theirs:
            yield f"{prefix}{name} is {json.dumps(short(mine))} and {json.dumps(short(theirs))}"
