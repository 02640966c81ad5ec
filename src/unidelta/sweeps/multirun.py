"""The jobs of `python train.py -m`: composed and checked once, before Hydra starts, then handed to its launcher."""

import shlex
from collections.abc import Sequence

from omegaconf import DictConfig

from unidelta.config.run_spec import RunSpec
from unidelta.config.schema import RunConfig
from unidelta.config.spelling import as_typed
from unidelta.sweeps.job import task
from unidelta.sweeps.plan import Job, jobs
from unidelta.sweeps.planned import prepared


class Multirun:
    """What Hydra's launchers call for each job; the pool's launcher takes the checked jobs from it instead.

    Args:
        checked: every job, composed and resolved.
    """

    def __init__(self, checked: Sequence[tuple[Job, RunConfig, RunSpec]]) -> None:
        self.checked = tuple(checked)

    def __call__(self, config: DictConfig) -> str:
        """Run one job, as `unidelta.sweeps.job.task`."""
        return task(config)

    def __reduce__(self) -> tuple[type["Multirun"], tuple[tuple[()]]]:
        """A copy without jobs: another machine runs one job, from the configuration that comes with it."""
        return Multirun, ((),)


def multirun(words: Sequence[str]) -> Multirun:
    """Compose and check every job of a multirun.

    Args:
        words: overrides in Hydra's spelling, without Hydra's own.

    Raises:
        Problems: everything that is wrong with any of them.
    """
    typed = dict.fromkeys(job_of(job.overrides) for job in jobs([shlex.join(words)]))
    return Multirun(prepared(list(typed)))


def job_of(words: Sequence[str]) -> Job:
    """The job with these overrides in Hydra's spelling."""
    return Job(tuple(as_typed(words)))
