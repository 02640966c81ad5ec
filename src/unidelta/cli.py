"""The command line of train.py: what was typed is checked first, then Hydra composes and the run begins.

Exit status: 0 done; 2 a request that cannot be met; 3 a damaged record, checkpoint or weights; 4 the run diverged;
75 not done, and the same command continues it (stopped by a signal, or running elsewhere); 1 a programming error.
"""

import contextlib
import os
import sys
import time
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from unidelta.config.compose import not_composable, typed
from unidelta.config.overrides import check
from unidelta.errors import IntegrityError, Interrupted, Problems, Unfinished, UserError
from unidelta.paths import CONF
from unidelta.training.processes import disconnect, started_by
from unidelta.training.stopping import EXIT_UNFINISHED, Stop

EXIT_USER_ERROR, EXIT_DAMAGED, EXIT_DIVERGED = 2, 3, 4
_PATIENCE_S = 10


class Diverged(Exception):
    """A run whose losses or gradients ceased to be finite."""


def main() -> None:
    """Run what `sys.argv` asks for."""
    # Hydra then hands exceptions on instead of printing them its own way; in a multirun all other jobs are
    # done before the first failure is raised
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    arguments = get_args_parser().parse_args()
    processes, stop = started_by(os.environ), Stop()

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
    def job(config: DictConfig) -> None:
        _do(config, stop)

    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(stop.listening())
            if not processes.is_first:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            check(arguments.overrides)
            job()
        disconnect(processes)
    except UserError as error:
        _fail(str(error), _status(error))
    except Unfinished as error:
        _fail(str(error), EXIT_UNFINISHED)
    except (HydraException, OmegaConfBaseException) as error:
        _fail(str(not_composable(arguments.overrides, error)), EXIT_USER_ERROR)
    except Diverged as error:
        _fail(str(error), EXIT_DIVERGED)


def _do(config: DictConfig, stop: Stop) -> None:
    from unidelta.run import run  # late: seconds of imports that --help and typing errors need not wait for

    try:
        record = run(
            typed(config, HydraConfig.get().overrides.task),
            command=sys.argv,
            processes=started_by(os.environ),
            stop=stop,
        )
    except Unfinished as unfinished:
        is_asked = isinstance(unfinished, Interrupted)  # then no further job of a multirun is begun
        if HydraConfig.get().mode is RunMode.MULTIRUN and not is_asked:
            raise
        _fail(str(unfinished), EXIT_UNFINISHED)
    except UserError as error:
        if HydraConfig.get().mode is RunMode.MULTIRUN:
            raise
        _fail(str(error), _status(error))
    if record is not None and record.status == "diverged":
        raise Diverged(f"The run diverged: {record.reason}. Its record says so; no table counts it as a result.")


def _status(error: UserError) -> int:
    errors = error.errors if isinstance(error, Problems) else (error,)
    return EXIT_DAMAGED if all(isinstance(each, IntegrityError) for each in errors) else EXIT_USER_ERROR


def _fail(message: str, status: int) -> NoReturn:
    if not started_by(os.environ).is_first:
        # What stops one process mostly stops all. The first one tells it, and torchrun then ends the others here.
        time.sleep(_PATIENCE_S)
    print(message, file=sys.stderr)
    sys.exit(status)
