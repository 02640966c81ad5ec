"""Every job of every file in sweeps/ is valid, composes, and resolves to a different run."""

import json
from pathlib import Path

import pytest

from unidelta.config.overrides import check
from unidelta.errors import UserError
from unidelta.run.prepare import prepare
from unidelta.sweeps.plan import Job, jobs, names, read_lines

from ..composed import composed

SWEEPS = Path(__file__).parents[2] / "sweeps"


def planned(name: str) -> list[Job]:
    return jobs(read_lines(name, [SWEEPS]))


def assert_resolve(every: list[Job]) -> None:
    problems, runs = {}, {}
    for job in every:
        try:
            check(job.overrides)
            spec = prepare(composed(job.overrides))
        except UserError as error:
            problems[str(job)] = str(error)
            continue
        runs.setdefault(json.dumps(spec.scientific(), sort_keys=True), []).append(str(job))
    assert problems == {}
    assert [alike for alike in runs.values() if len(alike) > 1] == []


@pytest.mark.parametrize("name", names([SWEEPS]))
def test_the_first_and_last_jobs_resolve_to_runs(name):
    every = planned(name)
    assert_resolve(list(dict.fromkeys((every[0], every[-1]))))


@pytest.mark.slow
@pytest.mark.parametrize("name", names([SWEEPS]))
def test_all_jobs_of_a_sweep_resolve_to_runs(name):
    assert_resolve(planned(name))
