"""The command line of sweep.py: plan everything, report what is done, run the rest.

Exit status: 0 all done, 1 some job failed or diverged, 2 a request that cannot be met, 3 damaged weights,
75 interrupted: the same command continues."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from unidelta.config.arguments import setting
from unidelta.config.overrides import check
from unidelta.config.own_files import check_own_files
from unidelta.config.run_spec import RunSpec
from unidelta.console.command import as_command
from unidelta.console.once import Once
from unidelta.console.parser import Parser
from unidelta.console.program import program
from unidelta.errors import ConfigError, ExitStatus, Problems, UserError
from unidelta.extensions.folders import add_folder
from unidelta.sweeps.follow import table
from unidelta.sweeps.launch import by_hydra, in_pool, launcher
from unidelta.sweeps.plan import folders_of_sweeps, jobs, names, read_lines, shard
from unidelta.sweeps.planned import Planned, first_of_each_run, plan, prepared, states

_SCRIPT = "python sweep.py"
_EPILOG = """\
Further arguments are overrides, as after `python train.py`:
  task=, method=        pick from the sweep: `python sweep.py table3 task=xsum` is its XSum part
  any other key         replaces, in every job, what the sweep says of it: seed=1,2,3  scale=paper
  backbone=             the same: jobs that it cannot run are left out and listed
  hydra/launcher=       pool (here, the default), slurm, ray_cluster; docs/scaling.md
  hydra.launcher.KEY=   options of the pool: gpus=[0,1] timeout_s=86400 retries=1 reuse=false

Exit status: 0 all done, 1 some job failed or diverged, 2 a request that cannot be met, 3 damaged
weights, 75 interrupted: the same command continues."""
_WITH_A_VALUE = ("--config-dir", "--shard", "--workers")


@as_command
def main() -> ExitStatus:
    """Run the command in `sys.argv`."""
    parser = _parser()
    options = ("-h", "--help", *re.findall("--[a-z-]+", parser.format_usage()))
    arguments, overrides = parser.parse_known_args(_in_order(sys.argv[1:], options))
    if arguments.config_dir is not None:
        add_folder(arguments.config_dir)
    check_own_files()
    check(overrides)
    for_hydra = [word for word in overrides if word.lstrip("+~").startswith("hydra")]
    lines = read_lines(arguments.name, folders_of_sweeps())
    chosen = jobs(lines, [word for word in overrides if word not in for_hydra])
    chosen = chosen if arguments.shard is None else shard(chosen, arguments.shard)
    is_other = any(word.startswith("backbone=") for word in overrides)  # than the sweep was made for
    if arguments.prefetch:
        return _prefetch(arguments.name, [spec for _, _, spec in prepared(chosen, leaves_out=is_other)])
    planned = first_of_each_run(plan(prepared(chosen, leaves_out=is_other), is_listing=arguments.list))
    print(states(arguments.name, planned), flush=True)
    if arguments.list:
        print("\n".join(f"{one.state:7}  {one.job}" for one in planned))
        return ExitStatus.DONE
    if arguments.workers is not None:
        for_hydra.append(_workers(arguments.workers, for_hydra))
    return _do(arguments.name, planned, for_hydra)


def _in_order(typed: Sequence[str], options: Sequence[str]) -> list[str]:
    """The words as argparse takes them: options, the sweep's name, then settings, with `--key value` as `key=value`.

    Raises:
        Problems: every word that begins with a dash and is neither an option nor a key.
        ConfigError: there are several sweeps.
    """
    first: list[str] = []
    sweeps: list[str] = []
    settings: list[str] = []
    problems: list[UserError] = []
    rest = list(typed)
    while rest:
        word = rest.pop(0)
        if word in _WITH_A_VALUE:
            first += [word, *rest[:1]]
            rest = rest[1:]
        elif word.partition("=")[0] in options:
            first.append(word)
        elif word.startswith("-"):
            try:
                settings.append(setting(word, rest, options=options, usual=f"{program(_SCRIPT)} --help"))
            except ConfigError as problem:
                problems.append(problem)
        else:
            (settings if "=" in word else sweeps).append(word)
    if problems:
        raise Problems(problems)
    several = [word for word in sweeps if word in names(folders_of_sweeps())]
    if len(several) > 1:
        instead = " && ".join(f"{program(_SCRIPT)} {name}" for name in several)
        raise ConfigError(" ".join(several), "a command runs one sweep", instead)
    return [*first, *sweeps, *settings]


def _do(name: str, planned: Sequence[Planned], for_hydra: Sequence[str]) -> ExitStatus:
    left = [one for one in planned if one.state != "done"]
    if not left:
        return ExitStatus.DONE
    chosen = launcher(for_hydra, folder=_logs(left[0], name))
    if chosen.pool is None:
        result = by_hydra(left, chosen)
    else:
        # Imports take as long as a run of the miniature, and no time compared with one of the paper's.
        is_short = all(one.spec.scale != "paper" for one in left)
        pool = chosen.pool if chosen.pool.reuse is not None else replace(chosen.pool, reuse=is_short)
        result = in_pool(left, pool, logs=[_logs(one, name) for one in left], group=name)
    print("\n" + table(name, result, n_jobs=len(left), n_skipped=len(planned) - len(left)))
    return result.status


def _prefetch(name: str, specs: Sequence[RunSpec]) -> ExitStatus:
    from unidelta.sweeps.prefetch import prefetch  # late: the hub's client takes half a second

    is_any = False
    for line in prefetch(specs):
        print(line, flush=True)
        is_any = True
    print(f"{name}: " + ("all of it is in the cache of this machine" if is_any else "nothing is read from the hub"))
    return ExitStatus.DONE


def _logs(planned: Planned, name: str) -> Path:
    return planned.results_dir / "logs" / name


def _workers(n: int, for_hydra: Sequence[str]) -> str:
    launchers = [word.lstrip("+") for word in for_hydra if word.lstrip("+").startswith("hydra/launcher=")]
    other = [word for word in launchers if word != "hydra/launcher=pool"]
    if other:
        why = "--workers are processes of this machine's pool; other launchers have options of their own"
        raise ConfigError(f"--workers {n} {other[0]}", why, "hydra.launcher.array_parallelism=8, for one of Slurm")
    return f"hydra.launcher.workers={n}"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=program(_SCRIPT),
        description="Run every job of sweeps/NAME.yaml; what is done already is skipped.",
        epilog=_EPILOG.replace(_SCRIPT, program(_SCRIPT)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(names(folders_of_sweeps()))}")
    parser.add_argument("--config-dir", action=Once, metavar="DIR", help="a folder of your own, as for train.py")
    parser.add_argument("--list", action="store_true", help="print the jobs and stop")
    parser.add_argument("--prefetch", action="store_true", help="fetch data, weights and tokenizers, and stop")
    parser.add_argument("--shard", metavar="I/N", help="every N-th job, from the I-th, counted from 0")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one per GPU, else per core)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
