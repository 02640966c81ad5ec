"""The command line of sweep.py: plan everything, say what is done, do the rest.

Exit status: 0 all done, 1 some job failed or diverged, 2 a request that cannot be met.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from unidelta.config.compose import compose
from unidelta.config.overrides import check
from unidelta.errors import Problems, UserError
from unidelta.plan import prepare
from unidelta.records.identity import run_id
from unidelta.records.store import RecordStore
from unidelta.run import identity
from unidelta.sweeps.plan import Job, jobs, names, read_lines, shard
from unidelta.sweeps.work import Outcome, work
from unidelta.tasks import Rows, TaskSpec, load_all


def main() -> None:
    """Do what `sys.argv` asks for and exit."""
    parser = _parser()
    arguments, overrides = parser.parse_known_args()
    if arguments.workers < 1:
        parser.error(f"--workers {arguments.workers}: at least one process has to do the work")
    try:
        planned = jobs(read_lines(arguments.name), overrides)
        planned = planned if arguments.shard is None else shard(planned, arguments.shard)
        left = _left(planned)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(f"{arguments.name}: {len(planned)} jobs, {len(planned) - len(left)} done already, {len(left)} to do")
    if arguments.list:
        print("\n".join(f"{'to do' if job in left else 'done ':6}{job}" for job in planned))
        return
    begin = time.perf_counter()
    outcomes: list[Outcome] = []
    for outcome in work(left, workers=arguments.workers, group=arguments.name):
        outcomes.append(outcome)
        print(
            f"{len(outcomes):4}/{len(left)}  {outcome.status}  {outcome.job}  {outcome.score}  {outcome.seconds:.0f} s",
            flush=True,
        )
    bad = [outcome for outcome in outcomes if outcome.status != "complete"]
    print(
        f"\n{arguments.name}: {len(outcomes) - len(bad)} done, {len(planned) - len(left)} skipped, "
        f"{sum(outcome.status == 'failed' for outcome in bad)} failed, "
        f"{sum(outcome.status == 'diverged' for outcome in bad)} diverged, {time.perf_counter() - begin:.0f} s"
    )
    for outcome in bad:
        print(f"  {outcome.status}: python train.py {outcome.job}\n    {outcome.score}")
    sys.exit(1 if bad else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python sweep.py", description="Run every job of sweeps/NAME.yaml; what is done already is skipped."
    )
    parser.add_argument("name", help=f"one of: {', '.join(names())}")
    parser.add_argument("--list", action="store_true", help="print the jobs and stop")
    parser.add_argument("--shard", metavar="I/N", help="every N-th job, from the I-th, counted from 0")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.epilog = "Further arguments are overrides for every job, as after `python train.py`."
    return parser


def _left(planned: list[Job]) -> list[Job]:
    """The jobs without a complete record; every job is composed and checked first.

    Raises:
        Problems: everything that is wrong with any job.
    """
    problems: dict[str, UserError] = {}
    rows: dict[TaskSpec, dict[str, Rows]] = {}  # many jobs read the same
    left: list[Job] = []
    seen: set[str] = set()  # two jobs that say the same in another order are one run
    for job in planned:
        try:
            check(job.overrides)
            config = compose(job.overrides)
            spec = prepare(config)
            if spec.task not in rows:
                rows[spec.task] = load_all(spec.task)
            name = run_id(identity(spec, rows[spec.task]))
            store = RecordStore(root=Path(config.results_dir))
            record = store.read(scale=spec.scale, task=spec.task.name, run_id=name)
        except UserError as error:
            problems[str(error)] = error
            continue
        if name not in seen and (record is None or record.status != "complete"):
            left.append(job)
        seen.add(name)
    if problems:
        raise Problems(list(problems.values()))
    return left
