"""The plan of the miniature's runs: made from trials on dev, older than the runs, and named by their records."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from unidelta.analysis.claims import CLAIMS, claims
from unidelta.analysis.frame import rows, runs
from unidelta.analysis.nulls import PAGE, errors, tables
from unidelta.analysis.page import filled
from unidelta.analysis.plan import NOMINAL, PLAN, make_plan, plan_for, read_plan, text_of
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.source import RECORDS, read
from unidelta.analysis.tuning import TRIALS
from unidelta.errors import DataError

ROOT = Path(__file__).parents[2]
PRINTED = published(ROOT / FIGURES)
EVERY = claims(PRINTED, ROOT / CLAIMS)


def test_the_plan_is_the_one_that_the_trials_make():
    trials = rows(runs(ROOT / TRIALS))
    assert {row["status"] for row in trials} <= {"complete", "diverged"}
    assert text_of(make_plan(EVERY, trials)) == (ROOT / PLAN).read_text(encoding="utf-8")


def test_bounds_are_shares_of_full_fine_tunings_score_on_dev():
    plan = plan_for("mini", EVERY)
    full = {task: max(curve_of_full(task)) for task in ("xsum", "sst2")}
    assert plan.judged["C14-xsum-R2"].bound == pytest.approx(0.01 * full["xsum"], abs=2e-3)
    assert plan.judged["C2-sst2-prefix"].bound == pytest.approx(-0.015 * full["sst2"], abs=2e-3)
    assert plan.judged["C1a-xsum"].bound == 0
    assert plan.judged["C1a-xsum"].on_par == plan.judged["C14-xsum-R2"].bound
    of_paper = {claim.name: claim.bound for claim in EVERY}
    assert {name: one.bound for name, one in plan_for("paper", EVERY).judged.items()} == of_paper


def curve_of_full(task: str) -> list[float]:
    """Full fine-tuning's mean dev scores on the task's own backbone, by the learning rates that have three seeds."""
    found = [json.loads(path.read_text()) for path in (ROOT / TRIALS / "mini" / task).glob("*.json")]
    names = {"xsum": ("validation", "rouge2"), "sst2": ("validation", "accuracy")}[task]
    backbone = {"xsum": "mini-bart", "sst2": "mini-roberta"}[task]
    full = [one for one in found if one["coordinates"]["method"] == "full"]
    full = [one for one in full if one["coordinates"]["backbone"] == backbone]
    by_rate: dict[float, list[float]] = {}
    for one in full:
        rate = one["spec"]["training"]["learning_rate"]
        by_rate.setdefault(rate, []).append(one["metrics"][names[0]][names[1]])
    return [sum(scores) / 3 for scores in by_rate.values() if len(scores) == 3]


def test_no_trial_was_scored_on_a_row_that_a_table_reports():
    for path in (ROOT / TRIALS).rglob("*.json"):
        assert not [name for name in json.loads(path.read_text())["metrics"] if name.startswith("test")]


def test_the_plan_is_older_than_every_run_that_it_judges_and_they_name_it():
    of_git = ["git", "log", "-1", "--format=%ct", "--", str(PLAN.relative_to(ROOT))]
    committed = subprocess.run(of_git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    found = read(RECORDS, scale="mini").frame
    judged = found[(found["key"] != "") & found["path"].str.contains("/paper/")]
    assert set(judged["plan"]) == {sha256((ROOT / PLAN).read_bytes()).hexdigest()}
    if committed:  # a release has no history
        made = datetime.fromtimestamp(int(committed), tz=UTC)
        assert min(map(datetime.fromisoformat, judged["when"])) > made


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not a plan"),
        ("{}", "it is not a plan"),
        ('{"claims": {"C1": {}}}', "it is not a plan"),
        (None, "no such file"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text, why, tmp_path: Path):
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=why):
        read_plan(path, EVERY)


def test_the_plan_is_there_in_a_folder_with_results_of_ones_own(tmp_path: Path):
    """Records of the miniature that somebody else made are judged by the plan, too."""
    (tmp_path / "results").mkdir()
    code = "from unidelta.analysis.plan import PLAN; print(PLAN.is_file())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_plan_of_other_claims_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="C8"):
        read_plan(ROOT / PLAN, [claim for claim in EVERY if claim.name != "C8"])


def test_with_a_loose_level_nulls_are_rejected_more_often_and_the_share_is_about_the_level():
    """One claim alone, at one look: the errors are those of a t-test."""
    mine, runs_there = [claim for claim in EVERY if claim.name == "C8"], read(RECORDS, scale="mini")
    plan = replace(plan_for("mini", EVERY), looks=(5,))
    found = {
        level: errors(mine, runs_there, PRINTED, replace(plan, nominal=level), is_apart=False, seed=1)
        for level in (NOMINAL, 0.3)
    }
    assert found[NOMINAL].any < 0.06
    assert 0.22 < found[0.3].any < 0.38  # 0.3 ± 2.5 standard errors of 200 repetitions
    assert found[0.3].n_claims == 1


@pytest.mark.slow
def test_the_errors_on_the_page_are_those_of_the_records():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(page, tables(read(RECORDS, scale="mini")), name=PAGE.name) == page
