"""The launcher of `python train.py -m …`: one process per job, several at a time, isolated from each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from unidelta.config.launchers import PoolConfig

ConfigStore.instance().store(group="hydra/launcher", name="pool", node=PoolConfig, provider="unidelta")


class PoolLauncher(Launcher):
    """Runs each job in its own process, on this machine.

    Args:
        options: the fields of `PoolConfig`.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.config: DictConfig | None = None
        self.checked: Sequence[Any] = ()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store the configuration and the checked jobs of a `Multirun`; each runs as `python train.py` does."""
        from unidelta.sweeps.multirun import Multirun  # late: Hydra always imports every plugin at its start

        assert isinstance(task_function, Multirun)
        self.config, self.checked = config, task_function.checked

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """Run the jobs that are not done yet, print a line for each and a table at the end.

        Raises:
            Problems: data or weights of some are missing or damaged.
            SystemExit: they were interrupted.
        """
        # late, as above
        from unidelta.sweeps.follow import table
        from unidelta.sweeps.job import JobFailed
        from unidelta.sweeps.launch import in_pool, pool_of
        from unidelta.sweeps.multirun import job_of
        from unidelta.sweeps.planned import first_of_each_run, plan, states

        assert self.config is not None
        typed = [job_of(overrides) for overrides in job_overrides]
        every = {one.job: one for one in plan([each for each in self.checked if each[0] in typed])}
        planned = first_of_each_run(list(every.values()))
        print(states("multirun", planned), flush=True)
        left = [one for one in planned if one.state != "done"]
        outcomes = {}
        if left:
            logs = [Path(self.config.hydra.sweep.dir)] * len(left)
            result = in_pool(left, pool_of(self.options), logs=logs)
            print("\n" + table("multirun", result, n_jobs=len(left), n_skipped=len(planned) - len(left)))
            if result.is_interrupted:
                raise SystemExit(result.status)
            outcomes = {outcome.name: outcome for outcome in result.outcomes}
        first = {one.run: str(one.job) for one in planned}
        returns = []
        for job in typed:
            outcome = outcomes.get(first[every[job].run])  # None of a job that was done already
            value, status = "done already" if outcome is None else outcome.note, JobStatus.COMPLETED
            if outcome is not None and outcome.status != 0:
                value, status = JobFailed(f"{outcome.name}: {outcome.note}"), JobStatus.FAILED
            returns.append(JobReturn(overrides=job.overrides, status=status, _return_value=value))
        return returns
