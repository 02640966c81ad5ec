"""Prepare jobs before the first one starts: compose, check, and look up existing records."""

import sys
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from unidelta.config.composer import Composer
from unidelta.config.overrides import check
from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.errors import ConfigError, DamagedRecord, DesignError, Problems, UserError
from unidelta.records.identity import run_id
from unidelta.records.run_files import RunFiles
from unidelta.records.store import RecordStore
from unidelta.run.identity import identity
from unidelta.run.prepare import prepare
from unidelta.sweeps.plan import Job
from unidelta.tasks import TaskSpec, fingerprint, load_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A valid job.

    Args:
        job: the job.
        spec: the run that it is.
        results_dir: the folder of all its files.
        files: those of the run; None for a dry run, or if data or weights are not available.
        state: done if there is a complete record and it is not forced to run again; unknown if it needs `files` and
            has none.
    """

    job: Job
    spec: RunSpec
    results_dir: Path
    files: RunFiles | None
    state: Literal["done", "to do", "unknown"]

    @property
    def run(self) -> Hashable:
        """Equal for jobs that are the same run: two names of one design, or two spellings of one value."""
        return self.files or self.job


def prepared(jobs: Sequence[Job], *, leaves_out: bool = False) -> list[tuple[Job, RunConfig, RunSpec]]:
    """Every job, composed and resolved, without reading data or weights.

    Args:
        jobs: the jobs.
        leaves_out: whether designs that do not exist on their backbone are left out, and said to be, instead of
            refused: of a sweep that was made for another backbone.

    Raises:
        Problems: everything that is wrong with any of them.
    """
    found: list[tuple[Job, RunConfig, RunSpec]] = []
    problems = _Problems(n_jobs=len(jobs))
    impossible: dict[str, list[Job]] = {}
    composer, composed = Composer(), dict[tuple[str, ...], RunConfig]()
    for job in jobs:
        try:
            config = _compose(job, composer, composed)
            found.append((job, config, prepare(config)))
        except UserError as error:
            if leaves_out and all(isinstance(one, DesignError) for one in _each(error)):
                impossible.setdefault("; ".join(f"{one.asked}: {one.why}" for one in _each(error)), []).append(job)
            else:
                problems.note(error, job)
    if impossible and not found and not problems.found:
        why = "; ".join(impossible)
        raise ConfigError(f"{len(jobs)} jobs", f"none of them exists on this backbone: {why}", "another backbone")
    problems.check()
    for why, those in impossible.items():
        first, *others = dict.fromkeys(_without_seed(job) for job in those)
        more = f", and {len(others)} more" if others else ""
        print(f"Left out: {first}{more}\n  {why}", file=sys.stderr)
    return found


def _without_seed(job: Job) -> str:
    return " ".join(word for word in job.overrides if not word.startswith("seed="))


def plan(prepared: Sequence[tuple[Job, RunConfig, RunSpec]], *, is_listing: bool = False) -> list[Planned]:
    """Every job with its state.

    Args:
        prepared: the jobs.
        is_listing: nothing is downloaded, and missing data or weights are not a fault but make the state unknown.

    Raises:
        Problems: everything that is wrong with any of them.
    """
    found: list[Planned] = []
    problems = _Problems(n_jobs=len(prepared))
    contents = _Contents(may_download=not is_listing)
    for job, config, spec in prepared:
        store, name, files, state = RecordStore(root=Path(config.results_dir)), None, None, "to do"
        try:
            name = None if config.dry_run else contents.run_id(spec)
        except UserError as error:
            state = "unknown"
            if not is_listing:
                problems.note(error, job)
        try:
            if name is not None:
                files = store.files(spec.scale, spec.task.name, name)
                state = "done" if not config.force and _is_done(files, config) else "to do"
        except UserError as error:
            problems.note(error, job)
        found.append(Planned(job=job, spec=spec, results_dir=store.root, files=files, state=state))
    problems.check()
    return found


def _is_done(files: RunFiles, config: RunConfig) -> bool:
    """Whether a run is complete.

    A run that has not kept the model that is asked for now refuses that itself; one whose record is damaged sets it
    aside and starts over.
    """
    try:
        record = files.read()
    except DamagedRecord:
        return False
    return record is not None and record.status == "complete" and (not config.save_model or files.deltas.exists())


def first_of_each_run(planned: Sequence[Planned]) -> list[Planned]:
    """The jobs without those that are the same run as an earlier one."""
    found: dict[Hashable, Planned] = {}
    for one in planned:
        found.setdefault(one.run, one)
    return list(found.values())


def states(title: str, planned: Sequence[Planned]) -> str:
    """How many jobs there are in each state, in a line."""
    counts = {state: sum(one.state == state for one in planned) for state in ("done", "to do", "unknown")}
    unknown = f", {counts['unknown']} unknown (data or weights are not on this machine)" if counts["unknown"] else ""
    n_jobs = "1 job" if len(planned) == 1 else f"{len(planned)} jobs"
    return f"{title}: {n_jobs}, {counts['done']} done already, {counts['to do']} to do{unknown}"


def _compose(job: Job, composer: Composer, composed: dict[tuple[str, ...], RunConfig]) -> RunConfig:
    """Check and compose a job; only once for jobs that differ only by the seed."""
    seeds = [word for word in job.overrides if word.startswith("seed=") and word[5:].isdecimal()]
    words = tuple(word for word in job.overrides if word not in seeds)
    if words not in composed:
        check(words)
        composed[words] = composer.compose(words)
    return replace(composed[words], seed=int(seeds[-1][5:])) if seeds else composed[words]


def _each(error: UserError) -> Sequence[UserError]:
    return error.errors if isinstance(error, Problems) else (error,)


class _Problems:
    """Every error once, for any number of jobs that have it, with the first of them unless all have it."""

    def __init__(self, *, n_jobs: int) -> None:
        self._n_jobs = n_jobs
        self.found: dict[str, tuple[UserError, dict[str, None]]] = {}

    def note(self, error: UserError, job: Job) -> None:
        """Keep what is wrong with a job."""
        for one in _each(error):
            self.found.setdefault(str(one), (one, {}))[1][str(job)] = None

    def check(self) -> None:
        """Refuse the jobs that something is wrong with.

        Raises:
            Problems: everything.
        """
        if self.found:
            raise Problems([self._placed(error, list(jobs)) for error, jobs in self.found.values()])

    def _placed(self, error: UserError, jobs: Sequence[str]) -> UserError:
        if len(jobs) == self._n_jobs:
            return error
        others = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
        return type(error)(f"{error.asked}  (job: {jobs[0]}{others})", error.why, error.instead)


class _Contents:
    """Data and weights, which many jobs share: each is read once, and each failure is reported once."""

    def __init__(self, *, may_download: bool) -> None:
        self._may_download = may_download
        self._found: dict[Hashable, Any] = {}

    def run_id(self, spec: RunSpec) -> str:
        """The run id of a run.

        Raises:
            UserError: its data or weights are not available.
        """
        source = spec.backbone.weights
        data = self._once(spec.task, lambda: self._fingerprints(spec.task))
        weights = self._once(source, source.fingerprint)
        return run_id(identity(spec, data=data, weights=weights))

    def _fingerprints(self, task: TaskSpec) -> dict[str, str]:
        limits = nullcontext()
        if task.source == "hub" and not self._may_download:
            from unidelta.network.hub import cache_only  # late: the hub's client takes half a second

            limits = cache_only()
        with limits:
            return {split: fingerprint(rows) for split, rows in load_all(task).items()}

    def _once(self, key: Hashable, read: Callable[[], Any]) -> Any:
        if key not in self._found:
            try:
                self._found[key] = read()
            except UserError as error:
                self._found[key] = error
        if isinstance(self._found[key], UserError):
            raise self._found[key]
        return self._found[key]
