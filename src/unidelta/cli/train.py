"""The command line of train.py: overrides are checked first, then Hydra composes and the run starts.

Exit status: `unidelta.errors`. With -m every job is checked before the first begins.
"""

import contextlib
import io
import os
import sys
import time
from collections.abc import Generator
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from unidelta.config.arguments import Arguments, arguments_of
from unidelta.config.compose import not_composable, typed
from unidelta.config.groups import fill_store
from unidelta.config.overrides import check
from unidelta.config.own_files import check_own_files
from unidelta.config.spelling import as_hydra_reads
from unidelta.console.closed_pipe import drop_unread_output
from unidelta.console.program import as_started
from unidelta.errors import ExitStatus, Unfinished, UserError, of_system, status_of
from unidelta.extensions.folders import CHOSEN_BY_NAME, add_folder
from unidelta.extensions.paths import CONF
from unidelta.sweeps.job import JobFailed
from unidelta.training.processes import disconnect, started_by
from unidelta.training.stopping import Stop

_PATIENCE_S = 10


def main() -> None:
    """Run the command in `sys.argv`."""
    drop_unread_output()
    # Hydra then hands exceptions on instead of printing them its own way; in a multirun all other jobs are
    # done before the first failure is raised
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    command, processes, stop = sys.argv, started_by(os.environ), Stop()
    arguments = Arguments(words=(), options=())

    def one_run(config: DictConfig) -> None:
        _run(config, command, stop)

    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(stop.listening())
            if not processes.is_first:
                stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
            arguments = arguments_of(command[1:])
            if arguments.config_dir is not None:
                add_folder(arguments.config_dir)
            words = list(arguments.words)
            if not arguments.is_completion:
                check_own_files()
                check(words, is_multirun=arguments.is_multirun)
                words = as_hydra_reads(words)
            fill_store()
            function = one_run
            if arguments.is_multirun:
                from unidelta.sweeps.multirun import multirun  # late, as in `_run`

                function = multirun([word for word in words if not word.lstrip("+~").startswith("hydra")])
            sys.argv = [command[0], *words, *arguments.options]  # which Hydra parses itself
            if {"--help", "-h"} & set(arguments.options):
                stack.enter_context(_help_of_what_is_typed())
            hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(function)()
        disconnect(processes)
    except (UserError, Unfinished) as error:
        _fail(str(error), status_of(error))
    # before OSError, which some of Hydra's are, too
    except (HydraException, OmegaConfBaseException, YAMLError, UnicodeDecodeError) as error:
        _fail(str(not_composable(arguments.words, error)), ExitStatus.REFUSED)
    except OSError as error:
        _fail(str(of_system(error)), ExitStatus.REFUSED)
    except JobFailed as error:
        _fail(str(error), ExitStatus.FAILED)


@contextlib.contextmanager
def _help_of_what_is_typed() -> Generator[None, None, None]:
    """Hydra's help under the name that was typed, without the groups whose files are chosen by their names."""
    output = sys.stdout
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            yield
        finally:
            lines = printed.getvalue().splitlines(keepends=True)
            lines = [line for line in lines if not line.startswith(CHOSEN_BY_NAME)]
            output.writelines(map(as_started, lines))


def _run(config: DictConfig, command: list[str], stop: Stop) -> None:
    from unidelta.run.run import run  # late: seconds of imports that --help and typing errors need not wait for

    try:
        record = run(
            typed(config, HydraConfig.get().overrides.task),
            command=command,
            processes=started_by(os.environ),
            stop=stop,
        )
    except (UserError, Unfinished) as error:
        _fail(str(error), status_of(error))  # here: raised, Hydra would print all of these its own way
    except OSError as error:
        _fail(str(of_system(error)), ExitStatus.REFUSED)
    if record is not None and record.status == "diverged":
        said = f"The run diverged: {record.reason}. Its record says so; no table counts it as a result."
        _fail(said, ExitStatus.DIVERGED)


def _fail(message: str, status: ExitStatus) -> NoReturn:
    if not started_by(os.environ).is_first:
        # What stops one process mostly stops all. The first one prints it, and torchrun then ends the others here.
        time.sleep(_PATIENCE_S)
    print(as_started(message), file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
