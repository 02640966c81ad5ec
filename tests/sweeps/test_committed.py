"""Every job of every file in sweeps/ can be typed, composes and resolves to a run of its own."""

import json
from pathlib import Path

import pytest

from unidelta.config.compose import compose
from unidelta.config.overrides import check
from unidelta.errors import UserError
from unidelta.run.prepare import prepare
from unidelta.sweeps.plan import Job, jobs, names, read_lines

SWEEPS = Path(__file__).parents[2] / "sweeps"
MANY = 40  # at 0.3 s per job
SLOW = ("fig4", "table12", "mini_budget", "mini_doubled", "mini_scales", "mini_tuning")  # 5 to 20 s each


def planned(name: str) -> list[Job]:
    return jobs(read_lines(name, [SWEEPS]))


def some(every: list[Job]) -> list[Job]:
    return every if len(every) <= MANY else [*every[:10], *every[-2:]]


def assert_resolve(every: list[Job]) -> None:
    problems, runs = {}, {}
    for job in every:
        try:
            check(job.overrides)
            spec = prepare(compose(job.overrides))
        except UserError as error:
            problems[str(job)] = str(error)
            continue
        runs.setdefault(json.dumps(spec.scientific(), sort_keys=True), []).append(str(job))
    assert problems == {}
    assert [alike for alike in runs.values() if len(alike) > 1] == []


@pytest.mark.parametrize("name", names([SWEEPS]))
def test_a_sweep_has_jobs(name):
    assert planned(name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in names([SWEEPS])]
)
def test_the_first_and_last_jobs_resolve_to_runs(name):
    assert_resolve(some(planned(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", names([SWEEPS]))
def test_all_jobs_of_a_large_sweep_resolve_to_runs(name):
    every = planned(name)
    if len(every) > MANY:
        assert_resolve(every)
