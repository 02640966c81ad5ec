"""Settings: runs that differ by the seed alone. Only these are ever averaged."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import pandas as pd

from unidelta.analysis.explore.accounts import Accounts
from unidelta.analysis.frame import Row, rows
from unidelta.analysis.in_print import short
from unidelta.analysis.score import Score, bounds_of, score_of_runs
from unidelta.errors import ConfigError
from unidelta.extensions.suggestions import suggestions

Group = tuple[str, str, str]
"""Scale, task and metric: scores of one group may be compared, those of two may not."""
GROUP = ("scale", "task", "metric")
"""Its columns."""

_NO_SCORE = "no score"
_COSTS = ("dev_loss", "seconds")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The runs of one setting, scored in one metric.

    Args:
        group: scale, task, metric.
        text: the setting, as the records have it: canonical JSON.
        runs: all of them, complete or not, in the order of their seeds.
        score: of the complete ones.
        n_without: complete runs that have no such score.
    """

    group: Group
    text: str
    runs: tuple[Row, ...]
    score: Score
    n_without: int

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """The setting by dotted path, `training.learning_rate`; a fingerprint by its first characters."""
        return {name: short(value) for name, value in _leaves("", json.loads(self.text))}

    def value(self, name: str) -> Any:
        """A column that all runs share (`check_shared`), or the setting at a dotted path; None if it has no such."""
        first = self.runs[0]
        return first[name] if name in first else self.values.get(name)

    def is_low_good(self, metric: str) -> bool:
        """Whether a low value of a score, or of a cost, is a good one."""
        return metric in _COSTS or any(metric in run["lower_is_better"].split() for run in self.runs)

    def mean(self, column: str) -> float:
        """The mean of a numeric column over the complete runs; NaN if one of them has none."""
        values = [run[column] for run in self.runs if run["status"] == "complete"]
        return fmean(map(float, values)) if values and None not in values else math.nan

    @property
    def lost(self) -> str:
        """The runs without a score, e.g. `1 failed, 2 diverged`; "" if there are none."""
        return ", ".join(filter(None, (self.score.lost, f"{self.n_without} {_NO_SCORE}" if self.n_without else "")))


def settings_of(
    frame: pd.DataFrame, accounts: Accounts, *, task: str | None = None, metric: str | None = None
) -> list[Setting]:
    """The settings in a table of runs, in the order in which they come.

    Args:
        frame: as `unidelta.runs` returns it.
        accounts: what is left out is counted here: copies of one run, and other tasks.
        task: one task; None takes all.
        metric: a score by the name that records have for it; None takes each task's headline.

    Raises:
        ConfigError: there is no such task or score.
    """
    every = rows(frame)
    _check(every, task, metric)
    found: dict[tuple[Group, str], list[Row]] = {}
    complete = [run for run in every if run["status"] == "complete"]
    best = {run["run_id"]: run for run in (*reversed(every), *reversed(complete))}
    for run in every:
        if run is not best[run["run_id"]]:
            accounts.leave_out("the same run is in another folder too")
            continue
        if task not in (None, run["task"]):
            accounts.leave_out("they are of other tasks", detail=run["task"])
            continue
        group = (run["scale"], run["task"], metric or run["metric"])
        found.setdefault((group, run["settings"]), []).append(run)
    settings = [_setting(group, text, sorted(mine, key=_seed)) for (group, text), mine in found.items()]
    return _scored(settings, metric, accounts)


def _scored(settings: list[Setting], metric: str | None, accounts: Accounts) -> list[Setting]:
    """Without the tasks that no run has the metric of."""
    if metric is None:
        return settings
    scored = {one.group for one in settings if one.score.n}
    for one in settings:
        if one.group not in scored:
            accounts.leave_out(f"their task has no {metric}", len(one.runs), detail=one.group[1])
    return [one for one in settings if one.group in scored]


def _setting(group: Group, text: str, runs: Sequence[Row]) -> Setting:
    score = score_of_runs(runs, lambda run: score_of(run, group[2]), bounds=bounds_of(group[2]))
    n_complete = sum(run["status"] == "complete" for run in runs)
    return Setting(group=group, text=text, runs=tuple(runs), score=score, n_without=n_complete - score.n)


def score_of(run: Row, metric: str) -> float:
    """What a run scored in a metric; NaN without it."""
    value = run["test"] if metric == run["metric"] else run.get(metric)
    return math.nan if value is None else float(value)


def check_name(name: str, settings: Sequence[Setting], asked: str) -> None:
    """Refuse a name that is neither a column nor a dotted path of any setting.

    Args:
        name: the name.
        settings: those that are looked through.
        asked: what was typed, for the error.

    Raises:
        ConfigError: there is no such name.
    """
    if settings and not any(name in one.runs[0] or name in one.values for one in settings):
        near = suggestions(name, sorted({known for one in settings for known in (*one.runs[0], *one.values)}), n=4)
        instead = ", ".join(near) or "a column of unidelta.runs, or a setting such as training.learning_rate"
        raise ConfigError(asked, f"no run has a column or a setting `{name}`", instead)


def check_shared(name: str, settings: Sequence[Setting], asked: str) -> None:
    """Refuse a name that `check_name` refuses, or by which runs differ that are averaged: the seed, a score, a time.

    Args:
        name: the name.
        settings: those that are looked through.
        asked: what was typed, for the error.

    Raises:
        ConfigError: there is no such name, or runs of one setting differ in it.
    """
    check_name(name, settings, asked)
    if any(len({str(run.get(name)) for run in one.runs}) > 1 for one in settings):
        why = f"runs that differ by the seed alone are averaged, and they differ in {name}"
        instead = f"method, say; to compare some of the runs, {name}=VALUE as a part of a side"
        raise ConfigError(asked, why, instead)


def _check(every: Sequence[Row], task: str | None, metric: str | None) -> None:
    tasks = sorted({run["task"] for run in every})
    if task is not None and task not in tasks:
        raise ConfigError(f"task {task}", "there are no runs of it", f"one of: {', '.join(tasks)}")
    if metric is not None and not any(metric in (run["metric"], *run) for run in every):
        known = sorted({run["metric"] for run in every})
        raise ConfigError(f"metric {metric}", "no run has a score of this name", f"one such as: {', '.join(known)}")


def _seed(run: Row) -> tuple[int, str]:
    return int(run["seed"]), run["run_id"]


def _leaves(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [leaf for name, item in value.items() for leaf in _leaves(f"{prefix}.{name}" if prefix else name, item)]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for i, item in enumerate(value) for leaf in _leaves(f"{prefix}.{i}", item)]
    return [(prefix, value)]
