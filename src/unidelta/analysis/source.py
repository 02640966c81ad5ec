"""Where the runs of a report come from: the project's own records, any folder of records, or W&B."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from unidelta.analysis.frame import frame_of
from unidelta.analysis.names import Scale
from unidelta.analysis.runs import Runs
from unidelta.analysis.tracked import PREFIX, is_offline_folder, read_folder, read_project
from unidelta.errors import Problems, RecordError, UserError
from unidelta.records.record import RunRecord
from unidelta.records.store import Listing, RecordStore

RECORDS = "records"
"""The word for the project's own records."""
MINI = Path("results/mini")
OF_TABLES = {"mini": MINI / "paper", "paper": Path("results/runs")}
"""Where the runs of the paper's sweeps are, and where the commands of missing cells put them."""
NOT_COMPARED = ("tuning", "scales", "doubled")
"""Folders of the miniature with runs of other settings: searches, and the grid with twice the steps."""


def read(source: str, *, scale: Scale) -> Runs:
    """The runs of one scale.

    Args:
        source: `records`; a folder with `<scale>/<task>/<run_id>.json` in it or in its folders; a folder of W&B's
            offline runs; or `wandb:entity/project`.
        scale: mini or paper; records of the other one are left out. The project's own may be none at all.

    Raises:
        RecordError: the folder is not there, or has no records of this scale.
        Problems: every record that is damaged, of a future version, or has a score that is not a number; every group
            of runs that would be averaged and differs by more than the seed.
    """
    is_own = source == RECORDS
    found: dict[str, RunRecord] = {}
    paths: dict[str, str] = {}
    faults: list[UserError] = []
    for folder, listing in _listings(source, scale):
        faults += listing.damaged
        # one run may lie in two folders: it is the same run, and counts once
        mine = {record.run_id: record for record in listing.records if record.coordinates["scale"] == scale}
        found |= mine
        if folder is not None:
            inside = folder.relative_to(MINI.parent if is_own else Path(source))
            paths |= {name: str(inside / scale / at.coordinates["task"] / f"{name}.json") for name, at in mine.items()}
    if faults:
        raise Problems(faults)
    if not found and source != RECORDS:
        why = f"there are no records of scale {scale} under it"
        raise RecordError(f"--source {source}", why, "a folder with <scale>/<task>/<run_id>.json, such as results/runs")
    origin = str(OF_TABLES[scale]) if is_own or source.startswith(PREFIX) else source
    if not found:
        return Runs.of(_no_runs(), scale=scale, origin=origin)
    frame = frame_of([found[name] for name in sorted(found)], origin=origin)
    frame["path"] = [paths.get(name, "") for name in frame["run_id"]]
    return checked(Runs.of(frame, scale=scale, origin=origin))


def checked(runs: Runs) -> Runs:
    """The runs, if all that would be averaged differ by the seed alone.

    Raises:
        Problems: each group that does not.
    """
    faults: list[UserError] = []
    for (key, task), rows in runs.by_side.items():
        if not key:
            continue
        first = rows[0]
        other = next((row for row in rows if row["settings"] != first["settings"]), None)
        twice = sorted(_twice([row["seed"] for row in rows if row["status"] == "complete"]))
        if other is not None:
            told = "; ".join(_differences(json.loads(first["settings"]), json.loads(other["settings"])))
            why = f"{first['run_id']} and {other['run_id']} differ by more than the seed: {told}"
            faults.append(RecordError(f"the mean of {key} on {task}", why, "one of the two: --source FOLDER"))
        elif twice:
            why = f"there are two runs of seed {', '.join(map(str, twice))}"
            faults.append(RecordError(f"the mean of {key} on {task}", why, "one of the two: --source FOLDER"))
    if faults:
        raise Problems(faults)
    return runs


def _listings(source: str, scale: Scale) -> Iterator[tuple[Path | None, Listing]]:
    """What is there, folder by folder; None for W&B, which has runs and no files of records."""
    if source.startswith(PREFIX):
        yield None, read_project(source)
        return
    folders = _own(scale) if source == RECORDS else _below(Path(source))
    listings = [(folder, RecordStore(root=folder).read_all()) for folder in folders]
    has_any = any(listing.records or listing.damaged for _, listing in listings)
    if not has_any and source != RECORDS and is_offline_folder(Path(source)):
        yield None, read_folder(Path(source))
    else:
        yield from listings


def _own(scale: Scale) -> list[Path]:
    if scale == "paper":
        return [OF_TABLES["paper"]]
    return [folder for folder in sorted(MINI.glob("*")) if folder.is_dir() and folder.name not in NOT_COMPARED]


def _below(folder: Path) -> list[Path]:
    """The folder and those in it that hold records, so that `results/mini` is all of its sweeps."""
    if not folder.is_dir():
        why = "there is no such folder"
        raise RecordError(f"--source {folder}", why, f"{RECORDS}, or a folder with <scale>/<task>/<run_id>.json")
    return [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]


def _no_runs() -> pd.DataFrame:
    return pd.DataFrame({"key": [], "task": []})


def _twice(values: list[Any]) -> set[Any]:
    return {value for value in values if values.count(value) > 1}


def _differences(first: Mapping[str, Any], second: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """What two settings say differently, e.g. `training.max_steps is 400 and 800`."""
    for name in sorted(first.keys() | second.keys()):
        mine, theirs = first.get(name), second.get(name)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            yield from _differences(mine, theirs, f"{prefix}{name}.")
        elif mine != theirs:
            yield f"{prefix}{name} is {json.dumps(mine)} and {json.dumps(theirs)}"
