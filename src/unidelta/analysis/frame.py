"""Records as one table, one row per run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from unidelta.analysis.paper_rows import side_of_spec
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.errors import Problems, RecordError, UserError
from unidelta.extensions.named_paths import real_path
from unidelta.records.identity import settings
from unidelta.records.record import RunRecord
from unidelta.records.store import SCALES, RecordStore, roots_below
from unidelta.records.strict_json import canonical

_NO_SCORES = ("loss", "n")  # numbers of a split that no metric gave
_RAW = "raw_"
Row = dict[str, Any]
"""A run as a row of `frame_of`."""

METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum", "bleu", "bleu_romanian", "accuracy")
"""Scores that always have a column; those of other metrics have one if a record has them."""


def rows(frame: pd.DataFrame) -> list[Row]:
    """The rows of a table of runs, in order."""
    names = [str(name) for name in frame.columns]
    columns = (frame[name].tolist() for name in names)  # by column: pandas is slow by row
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def runs(root: Path) -> pd.DataFrame:
    """Every record under a folder, as rows of `frame_of`.

    Args:
        root: folder of the records.

    Raises:
        RecordError: there are no records, or records of one task have scores of two metrics, which cannot be mixed.
        Problems: every record that is damaged or has a score that is not a number.
    """
    listing = RecordStore(root=root).read_all()
    if not listing.records and not listing.damaged:
        raise RecordError(f"records under {root}", "there are none", "run the sweep first: `python sweep.py NAME`")
    return frame_of(listing.records, origin=str(root), faults=listing.damaged)


def every_run(folder: Path) -> pd.DataFrame:
    """Every record below a folder, at any depth, as rows of `frame_of`; scales and metrics may differ.

    Raises:
        RecordError: there are none.
        Problems: every record that is damaged.
    """
    found = [one for root in roots_below(folder) for one in RecordStore(root=root).read_each()]
    faults = [one for one in found if isinstance(one, RecordError)]
    if faults:
        raise Problems(faults)
    if not found:
        raise RecordError(f"records under {folder}", "there are none", _instead(folder))
    return table_of(record for record in found if isinstance(record, RunRecord))


def _instead(folder: Path) -> str:
    """The folder of the runs, where one of a scale or of a task below it was named."""
    here = real_path(folder)
    for scale, pattern in ((here, "*/*.json"), (here.parent, "*.json")):
        if scale.name in SCALES and next(here.glob(pattern), None) is not None:
            return str(scale.parent)
    return "a folder with records of runs, such as `results`"


def table_of(records: Iterable[RunRecord]) -> pd.DataFrame:
    """Records as `frame_of` has them, whatever their scales and metrics; at least one."""
    known: dict[str, tuple[str, str, str]] = {}
    frame = pd.DataFrame([_row(record, known) for record in records])
    after = frame.columns.get_loc("metric")
    assert isinstance(after, int)  # no two columns have one name
    scores = list(frame.columns[after + 1 :])
    frame[scores] = frame[scores].astype(float)  # NaN where there is none
    return frame


def frame_of(records: Sequence[RunRecord], *, origin: str, faults: Sequence[UserError] = ()) -> pd.DataFrame:
    """Records as a table, one row each: coordinates, settings, parameters, `dev` and `test` scores.

    `dev` and `test` are scores of `metric`, the task's headline. `dev` selected the best step, and `test` is reported;
    if a task has no test split, they are the first rows of dev and all of dev. Other reported metrics have their own
    columns, by their names in records. Only complete runs have scores; others have their `status` and NaN.

    `key` and `side` identify the run's row in the paper's tables (see `paper_rows`), with and without its size.
    `bottlenecks_paper` and `bottlenecks` are the paper's and the run's, attention's before the FFN's.
    `percent` counts matrices, as in the paper, `percent_paper` is the same with the paper's rounding, `percent_trained`
    counts what the optimiser updates. `backbone` is an architecture's name, or that of the folder or repository of a
    checkpoint. `settings` holds everything that affects the numbers except the seed. `s` is the
    scale of a scaled composition (Table 5), `prefix_init` the initialisation of a prefix; NaN and "" without one. `dev`
    is NaN if nothing is generated on dev: for translation `dev_loss` selects the best step. `lower_is_better` names the
    scores of which a low one is a good one, with spaces between them. `when`, `commit`, `plan`,
    `device`, `platform` and `packages` are the run's provenance, as text.

    Args:
        records: any number.
        origin: where they are from, for messages.
        faults: errors found while reading the records, to be raised together with those found here.

    Raises:
        RecordError: records of one task have scores of two metrics.
        Problems: `faults`, and every complete run with a score that is not a number.
    """
    not_numbers = [error for record in records for error in _not_a_number(record)]
    if faults or not_numbers:
        raise Problems([*faults, *not_numbers])
    if not records:
        return pd.DataFrame()
    frame = table_of(records)
    for task, its_runs in frame.groupby("task"):
        metrics = sorted(set(its_runs["metric"]))
        if len(metrics) > 1:
            why = f"{task} has {' and '.join(metrics)}, which do not compare"
            instead = "the runs of one scale, and a task file of its own for each data set"
            raise RecordError(f"one table of {origin}", why, instead)
    return frame


def _row(record: RunRecord, known: dict[str, tuple[str, str, str]]) -> dict[str, Any]:
    """A record as a row.

    Args:
        record: the record.
        known: a cache of settings, side and key by the spec without its seed, as many runs differ only by the seed.
    """
    unseeded = canonical({name: value for name, value in record.spec.items() if name != "seed"})
    if unseeded not in known:
        known[unseeded] = (settings(record.spec), *side_of_spec(record.spec))
    text, side, key = known[unseeded]
    at, training, counts = record.coordinates, record.spec["training"], record.parameters
    metric = at["metric"]
    dev, test = _scores(record) if record.status == "complete" else ({}, {})
    design = record.spec["design"]
    parts = design.get("parts", [])
    sizes = [design["length"]] if "length" in design else [part["bottleneck"] for part in parts if "bottleneck" in part]
    of_paper = record.spec.get("published_bottlenecks", {})
    return {
        **{name: at[name] for name in ("task", "backbone", "method", "position", "seed", "scale", "source")},
        "run_id": record.run_id,
        "status": record.status,
        "reason": record.reason or "",
        "key": key,
        "side": side,
        "bottlenecks_paper": ";".join(str(of_paper[slot]) for slot in ("attn", "ffn", "prompt") if slot in of_paper),
        "bottlenecks": ";".join(map(str, sizes)),
        "percent": counts["percent_matrices"],
        "percent_paper": counts.get("percent_published_rule", math.nan),
        "percent_trained": counts.get("percent_trained", math.nan),
        "matrices": counts.get("matrices", 0),
        "trained": counts["trained"],
        "learning_rate": training["learning_rate"],
        "steps": training["max_steps"],
        "s": next((part["scale"] for part in parts if _is_scaled(part)), math.nan),
        "prefix_init": next((part["init"] for part in parts if _is_prefix(part)), ""),
        "seconds": record.cost["seconds"],
        "settings": text,
        **_provenance(record),
        "lower_is_better": " ".join(record.metrics.get("lower_is_better", ())),
        "metric": metric,
        "dev": dev.get(metric),
        "dev_loss": dev.get("loss"),
        "test": test.get(metric),
        "mismatched": _of_first(record, "test_mismatched", "validation_mismatched").get(metric),
        **dict.fromkeys(METRICS),
        **_scores_of(test),
    }


def _scores_of(split: Mapping[str, Any]) -> dict[str, float]:
    """A split's scores from metrics: no loss, counts, intervals or scores against raw references."""
    names = (name for name in split if name not in _NO_SCORES and not name.startswith(_RAW))
    return {name: split[name] for name in names if not isinstance(split[name], Mapping)}


def _is_scaled(part: Mapping[str, Any]) -> bool:
    composition = COMPOSITIONS.get(part["composition"])  # of a user's own, it may be unknown here
    return composition is not None and composition.reads_scale


def _is_prefix(part: Mapping[str, Any]) -> bool:
    form = FORMS.get(part["form"])
    return form is not None and form.has_softmax


def _provenance(record: RunRecord) -> dict[str, str]:
    """Where, when and with what the run was made; "" for whatever its record does not say."""
    there = record.provenance
    git, packages = there.get("git") or {}, there.get("packages") or {}
    commit = git.get("commit") or ""
    return {
        "when": there.get("time_utc") or "",
        "commit": f"{commit} with changes" if git.get("is_dirty") else commit,
        "plan": there.get("plan") or "",
        "device": there.get("device") or "",
        "platform": ", ".join(filter(None, (there.get("platform"), f"Python {there.get('python', '?')}"))),
        "packages": canonical(packages) if packages else "",
    }


def _not_a_number(record: RunRecord) -> list[RecordError]:
    """Errors for scores of a complete run that are not numbers; losses may be infinite."""
    if record.status != "complete":
        return []
    instead = "the run again, with force=true; it is not left out silently"
    found = (path for path in record.not_finite if _is_score(path))
    return [RecordError(f"record {record.run_id}", f"{path} is {record.not_finite[path]}", instead) for path in found]


def _is_score(path: str) -> bool:
    """Whether a dotted path leads to a score of a split: `metrics.test.rouge2`."""
    part, *names = path.split(".")
    return part == "metrics" and len(names) == 2 and names[1] not in _NO_SCORES


def _scores(record: RunRecord) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The scores of the split that selected the best step, and of the reported one."""
    task = record.spec["task"]
    dev, test = task["eval_split"], task["test_split"]
    if test in (None, dev):
        return _of_first(record, f"{dev}[:{task['max_eval_examples']}]", dev), _of_first(record, dev)
    return _of_first(record, dev), _of_first(record, test)


def _of_first(record: RunRecord, *splits: str) -> Mapping[str, Any]:
    """The scores of the first of these splits that the record has."""
    return next((record.metrics[split] for split in splits if split in record.metrics), {})
