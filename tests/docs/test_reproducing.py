"""The costs in docs/reproducing.md equal the runs of each sweep times the authors' hours."""

import json
import re
from collections import Counter

import pytest

from unidelta.config.overrides import check
from unidelta.extensions.paths import CONF
from unidelta.run.prepare import prepare
from unidelta.sweeps.plan import Job, jobs, names, read_lines

from ..composed import composed

ROOT = CONF.parent
PAGE = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
HOURS = {"xsum": 50, "wmt_en_ro": 20, "mnli": 10, "sst2": 2}
ARTEFACTS = [name for name in names([ROOT / "sweeps"]) if re.match(r"(table|fig)\d", name)]


def planned(name: str) -> list[Job]:
    return jobs(read_lines(name, [ROOT / "sweeps"]), ["scale=paper"])


def costs(name: str) -> list[int]:
    (row,) = re.findall(rf"^\| {name} \| (.+) \|$", PAGE, re.MULTILINE)
    return [int(cell) for cell in row.split(" | ")]


def test_every_artefact_of_the_paper_has_a_sweep():
    assert set(ARTEFACTS) == {"table2", "table3", "table4", "table5", "table6", "table12", "fig2", "fig4", "fig5"}


@pytest.mark.parametrize("name", ARTEFACTS)
def test_runs_and_hours(name):
    tasks = Counter(word.removeprefix("task=") for job in planned(name) for word in job.overrides if "task=" in word)
    runs = [tasks[task] for task in HOURS]
    assert costs(name) == [*runs, sum(n * hours for n, hours in zip(runs, HOURS.values(), strict=True))]


@pytest.mark.slow
def test_all_together_with_each_run_once():
    runs = set()
    for name in ARTEFACTS:
        for job in planned(name):
            check(job.overrides)
            spec = prepare(composed(job.overrides))
            runs.add((spec.task.name, json.dumps(spec.scientific(), sort_keys=True)))
    tasks = Counter(task for task, _ in runs)
    expected = [tasks[task] for task in HOURS]
    hours = sum(n * each for n, each in zip(expected, HOURS.values(), strict=True))
    assert costs("all, each run once") == [*expected, hours]
