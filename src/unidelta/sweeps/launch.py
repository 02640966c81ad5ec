"""Run a list of jobs with any of Hydra's launchers; with the pool, report each as it ends."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from hydra import initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.compose import not_composable
from unidelta.config.groups import fill_store
from unidelta.errors import STATUS_OF_RUN, ExitStatus, RecordError
from unidelta.extensions.folders import added_folders
from unidelta.extensions.paths import CONF
from unidelta.sweeps.follow import Result, follow
from unidelta.sweeps.job import JobFailed, Work, do, score, task
from unidelta.sweeps.machine import this_machine
from unidelta.sweeps.places import placed
from unidelta.sweeps.plan import Job
from unidelta.sweeps.planned import Planned
from unidelta.sweeps.pool import Outcome, Pool, Task

_POOL = "hydra_plugins.unidelta_pool.launcher.PoolLauncher"
_N_CHARACTERS = 120  # of the name of a log; file systems allow 255 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """How jobs are run.

    Args:
        config: Hydra's whole configuration of a multirun.
        loader: composes the jobs.
        pool: the pool's options; None for every other launcher.
    """

    config: DictConfig
    loader: ConfigLoader
    pool: Pool | None


def launcher(overrides: Sequence[str], *, folder: Path) -> Launcher:
    """The launcher selected by overrides such as `hydra/launcher=slurm`.

    Args:
        overrides: Hydra's own, as typed.
        folder: for logs.

    Raises:
        ConfigError: there is no such launcher or option.
        Problems: an option of the pool is out of range.
    """
    words = [*overrides, "hydra.mode=MULTIRUN", f"hydra.sweep.dir='{folder}'"]
    GlobalHydra.instance().clear()
    fill_store()
    try:
        with initialize_config_dir(config_dir=str(CONF), job_name="sweep", version_base="1.3"):
            loader = GlobalHydra.instance().config_loader()
            config = loader.load_configuration("config", words, run_mode=RunMode.MULTIRUN)
            options = cast(dict[str, Any], OmegaConf.to_container(config.hydra.launcher))
    except (HydraException, OmegaConfBaseException) as error:
        raise not_composable(overrides, error) from error
    pool = pool_of(options) if options.pop("_target_") == _POOL else None
    return Launcher(config=config, loader=loader, pool=pool)


def pool_of(options: Mapping[str, Any]) -> Pool:
    """The pool with the options of `hydra/launcher=pool`.

    Raises:
        Problems: one is out of range.
    """
    return Pool(**{**options, "gpus": tuple(options["gpus"])})


def in_pool(planned: Sequence[Planned], pool: Pool, *, logs: Sequence[Path], group: str | None = None) -> Result:
    """Run jobs on this machine, printing a line as each ends.

    Args:
        planned: the jobs.
        pool: how many at a time, and so on.
        logs: the folder for the log of each job.
        group: the jobs' group in tracking, unless they set another one.
    """
    tasks = [
        Task(
            name=str(one.job),
            argument=Work(overrides=one.job.overrides, folders=tuple(added_folders()), group=group),
            log=folder / f"{log_name(one.job)}.log",
        )
        for one, folder in zip(planned, logs, strict=True)
    ]
    pool, said = placed(pool, this_machine(), [one.spec for one in planned])
    print(said, flush=True)
    return follow(pool, tasks, do)


def by_hydra(planned: Sequence[Planned], launcher: Launcher) -> Result:
    """Run jobs with a different Hydra launcher; their outcomes are read from their records.

    A launcher may give up when one job is lost while others still wait in a cluster's queue.
    """
    config, begin = launcher.config, time.monotonic()
    context = HydraContext(config_loader=launcher.loader, callbacks=cast(Any, Callback()))  # which do nothing
    plugin = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=task, config=config)
    returned: dict[Job, str | Exception] = {}
    lost = RuntimeError("there is no record")
    try:
        results = plugin.launch([list(one.job.overrides) for one in planned], initial_job_idx=0)
        for one, result in zip(planned, results, strict=True):
            try:
                returned[one.job] = str(result.return_value)
            except Exception as error:
                returned[one.job] = error
    except Exception as error:  # launchers raise different errors when a job is lost
        lost = RuntimeError(f"there is no record; the launcher gave up: {type(error).__name__}: {error}")
    folder = Path(config.hydra.sweep.dir)
    outcomes = tuple(_outcome(one, returned.get(one.job), lost, folder=folder) for one in planned)
    return Result(outcomes=outcomes, seconds=time.monotonic() - begin)


def _outcome(planned: Planned, returned: str | Exception | None, lost: Exception, *, folder: Path) -> Outcome:
    """How a job ended, from the launcher's return value or, if there is none, from the record."""
    status, cause = ExitStatus.FAILED, lost if returned is None else returned
    try:
        record = None if planned.files is None else planned.files.read()
    except RecordError as error:
        record, cause = None, error
    if isinstance(returned, str):
        status = ExitStatus.DONE
    elif record is not None and (returned is None or record.status != "complete"):
        status, cause = STATUS_OF_RUN[record.status], record.reason or score(record)
    note = f"{type(cause).__name__}: {cause}" if type(cause) not in (str, JobFailed, RuntimeError) else str(cause)
    return Outcome(name=str(planned.job), status=status, note=note, seconds=None, log=folder)


def log_name(job: Job) -> str:
    """A readable file name for a job's log, unique within a sweep."""
    words = [word for word in job.overrides if not word.startswith("results_dir=")]
    name = re.sub(r"[^\w=.,+-]", "-", "_".join(words)) or "defaults"
    if name == "_".join(words) and len(name) <= _N_CHARACTERS:
        return name
    return f"{name[:_N_CHARACTERS]}-{sha256(' '.join(words).encode()).hexdigest()[:8]}"
