"""A job of a sweep: the same as `python train.py` with these overrides, as a function."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unidelta.config.compose import compose, typed
from unidelta.config.schema import RunConfig
from unidelta.design.count import count
from unidelta.errors import STATUS_OF_RUN, ExitStatus, Interrupted, Unfinished, UserError, status_of
from unidelta.extensions.folders import PROVIDER, add_folder
from unidelta.records.record import RunRecord
from unidelta.run.prepare import prepare
from unidelta.sweeps.worker import Report
from unidelta.tasks.metrics.scored import printed_scores
from unidelta.training.stopping import Stop


class JobFailed(Exception):
    """A job of a sweep has no result; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job in the form that another process receives.

    Args:
        overrides: as typed after `python train.py`.
        folders: the added folders, in order (`unidelta.extensions.folders`).
        group: the job's group in W&B, unless it or `WANDB_RUN_GROUP` sets another one.
    """

    overrides: tuple[str, ...]
    folders: tuple[Path, ...]
    group: str | None = None


def do(work: Work) -> Report:
    """Run one job."""
    if work.group is not None:
        os.environ.setdefault("WANDB_RUN_GROUP", work.group)
    try:
        for folder in work.folders:
            add_folder(folder)
        return _do(compose(["training.progress=false", *work.overrides]), work.overrides)
    except UserError as error:
        print(error, file=sys.stderr)
        return Report(status=status_of(error), note=f"{error.asked}: {error.why}")
    except Unfinished as error:
        print(error, file=sys.stderr)
        return Report(status=status_of(error), note=str(error))


def task(config: DictConfig) -> str:
    """Run one job for a Hydra launcher: the function that the launcher calls, on any machine.

    Returns:
        The score, in one line.

    Raises:
        JobFailed: there is no score.
    """
    overrides = list(HydraConfig.get().overrides.task)
    try:
        for source in HydraConfig.get().runtime.config_sources:  # the job may run on a different machine
            if source.provider == PROVIDER:
                add_folder(source.path)
        report = _do(typed(config, overrides), overrides)
    except Interrupted as error:
        print(error, file=sys.stderr)
        raise SystemExit(status_of(error)) from error  # after any other exception Hydra would start the next job
    except (UserError, Unfinished) as error:
        raise JobFailed(str(error)) from error
    if report.status != ExitStatus.DONE:
        raise JobFailed(report.note)
    return report.note


def _do(config: RunConfig, overrides: Sequence[str]) -> Report:
    from unidelta.run.run import run  # late: a sweep that only lists its jobs needs none of it

    stop = Stop()
    with stop.listening():
        record = run(config, command=["train.py", *overrides], stop=stop)
    if record is None:
        return Report(status=ExitStatus.DONE, note=f"dry run: {_counts(config)}")
    return Report(status=STATUS_OF_RUN[record.status], note=score(record) if record.reason is None else record.reason)


def _counts(config: RunConfig) -> str:
    spec = prepare(config)
    counts = count(spec.design, spec.backbone.architecture)
    return f"{counts.trained:,} trained, {counts.stored:,} stored, {counts.percent_matrices:.2g} % in matrices"


def score(record: RunRecord) -> str:
    """The metrics of the test splits, in one line; of the validation splits, if there is no test split.

    If there are several (MNLI's matched and mismatched), each is named.
    """
    splits = {name: values for name, values in record.metrics.items() if isinstance(values, dict)}
    shown = {name: values for name, values in splits.items() if name.startswith("test")} or splits
    return "; ".join(
        (f"{name}: " if len(shown) > 1 else "")
        + ", ".join(f"{metric} {value:.1f}" for metric, value in printed_scores(values).items() if metric != "loss")
        for name, values in shown.items()
    )
