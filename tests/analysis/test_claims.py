"""The 90 comparisons: each finds its sides, and each group's verdicts follow from independently computed statistics."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unidelta.analysis.claims import CLAIMS, GROUPS, ON_PAR, Claim, claims
from unidelta.analysis.claims_page import group_table, overview, page
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.runs import Runs
from unidelta.analysis.verdicts import verdicts
from unidelta.errors import DataError

ROOT = Path(__file__).parents[2]
PRINTED = published(ROOT / FIGURES)
N = 5


@cache
def every() -> tuple[Claim, ...]:
    return tuple(claims(PRINTED, ROOT / CLAIMS))


def runs_of(scores: dict[tuple[str, str, str], list[float]], scale="mini", seeds=None) -> Runs:
    """Runs by key, task and metric (as records name them), the i-th with the i-th seed."""
    rows: dict[tuple[str, str, int], dict] = {}
    for (key, task, metric), values in scores.items():
        for seed, value in zip(seeds or range(1, len(values) + 1), values, strict=True):
            row = rows.setdefault((key, task, seed), {"key": key, "task": task, "seed": seed, "status": "complete"})
            row |= {metric: value, "run_id": f"{key}-{seed}"}
    frame = pd.DataFrame(list(rows.values())) if rows else pd.DataFrame({"key": [], "task": []})
    return Runs.of(frame, scale=scale, origin="runs")


def sides_of(claim) -> list[tuple[str, str, str]]:
    """Every side that a claim needs runs of, the other difference of an interaction too."""
    extra = {"C7e": "C7a", "C9b": "C9a"}.get(claim.name)
    found = [claim, *(other for other in every() if other.name == extra)]
    at = (task_in_records(claim.task), metric_in_records(claim.metric, "paper"))
    return [(side.key, *at) for one in found for side in (one.first, one.second) if side.key != "full_ft_published"]


def random_runs(seed: int, spread: float) -> tuple[Runs, dict[tuple[str, str, str], list[float]]]:
    """Runs of every side at the paper's scale: printed values with noise, where printed twice the first."""
    draw = np.random.default_rng(seed)
    scores: dict[tuple[str, str, str], list[float]] = {}
    for claim in every():
        at = (task_in_records(claim.task), metric_in_records(claim.metric, "paper"))
        for side in (claim.first, claim.second):
            if side.key != "full_ft_published":
                scores.setdefault((side.key, *at), (side.value + draw.normal(0, spread, N)).tolist())
    return runs_of(scores, scale="paper"), scores


def expected(claim, scores) -> tuple[str, float]:
    """What the runs favour and the p-value, by scipy alone."""
    at = (task_in_records(claim.task), metric_in_records(claim.metric, "paper"))

    def d(first: str, second: str) -> np.ndarray:
        return np.array(scores[(first, *at)]) - np.array(scores[(second, *at)])

    def beyond(values, bound, alternative="two-sided") -> float:
        return stats.ttest_1samp(values, bound, alternative=alternative).pvalue

    first, second = claim.first.key, claim.second.key
    match claim.name.split("-")[0]:
        case "C7e":
            values = d("mh_pa_attn@30", "pa_attn@30") - d("mh_pa_attn@200", "pa_attn@200")
        case "C9b":
            values = d("pa_attn@200", "pa_attn@30") - d("prefix@200", "prefix@30")
        case "C15":
            values = np.array(scores[(first, *at)]) - claim.second.value
        case _:
            values = d(first, second)
    match claim.group, claim.name.split("-")[0]:
        case (("C14" | "C18"), _):
            margin = {"R1": 0.3, "R2": 0.1, "RL": 0.2, "BLEU": 0.2, "accuracy": 0.4}[claim.metric]
            inside = max(beyond(values, -margin, "greater"), beyond(values, margin, "less"))
            outside = 2 * min(beyond(values, -margin, "less"), beyond(values, margin, "greater"))
            return ("supported", inside) if inside <= outside else ("contradicted", outside)
        case (("C1" | "C15"), _):
            bound, sign = 0.0, -1
        case (("C6" | "C12"), _):
            bound, sign = (0.1 if claim.metric == "R2" else 0.2), -1
        case _, "C10b":
            bound, sign = 0.1, -1
        case _, "C9a":
            bound, sign = 1.0, -1
        case "C2", _:
            bound, sign = (-1.3 if claim.name == "C2-mnli-prefix" else -1.0), 1
        case "C19", _:
            bound, sign = -0.4, 1
        case _:
            bound, sign = 0.0, 1
    holds = sign * (values.mean() - bound) > 0
    return "supported" if holds else "contradicted", beyond(values, bound)


def test_there_are_90_comparisons_in_19_groups():
    assert len(every()) == 90
    assert {claim.group for claim in every()} == set(GROUPS)


def test_printed_margins_are_those_of_the_file():
    lines = published(ROOT / CLAIMS).set_index("id")["published_margin_a_minus_b"]
    assert {claim.name: round(claim.margin, 2) for claim in every()} == {str(n): float(m) for n, m in lines.items()}


@pytest.mark.parametrize("spread", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("group", GROUPS)
def test_a_groups_verdicts_are_those_of_scipys_tests_adjusted_by_holm(group, spread):
    runs, scores = random_runs(int(100 * spread), spread)
    found = {v.claim.name: v for v in verdicts(every(), runs, PRINTED)}
    mine = [claim for claim in every() if claim.group == group]
    tests = [expected(claim, scores) for claim in mine]
    order = np.argsort([p for _, p in tests])
    adjusted, largest = np.zeros(len(tests)), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(tests) - rank) * tests[index][1]))
        adjusted[index] = largest
    for claim, (favours, _), p in zip(mine, tests, adjusted, strict=True):
        assert found[claim.name].p == pytest.approx(p, rel=1e-6), claim.name
        assert found[claim.name].word == (favours if p < 0.05 else "inconclusive"), claim.name
        assert found[claim.name].differences.n == N


def test_with_little_noise_the_paper_supports_itself():
    found = verdicts(every(), random_runs(7, 0.001)[0], PRINTED)
    # values that are printed equal, or at the very margin of what counts as equal, decide nothing
    undecided = {v.claim.name for v in found if v.word != "supported"}
    assert undecided <= {"C2-mnli-prefix", "C14-wmt16_en_ro-BLEU", "C18-sst2"}


def test_without_runs_nothing_is_said_and_every_side_has_its_command():
    for verdict in verdicts(every(), runs_of({}), PRINTED):
        assert verdict.word == "not run"
        assert verdict.commands or verdict.claim.group == "C15"
        assert verdict.differences.n == 0


def test_one_pair_is_inconclusive_and_other_seeds_are_no_pairs():
    (claim,) = [claim for claim in every() if claim.name == "C8"]
    keys = [(side.key, "wmt_en_ro", "bleu") for side in (claim.first, claim.second)]
    (one,) = verdicts([claim], runs_of({keys[0]: [50.0], keys[1]: [40.0]}), PRINTED)
    assert (one.word, one.why, one.differences.n) == ("inconclusive", "one pair of runs has no interval", 1)
    apart = pd.concat([runs_of({keys[0]: [50.0]}, seeds=[1]).frame, runs_of({keys[1]: [40.0]}, seeds=[2]).frame])
    (none,) = verdicts([claim], Runs.of(apart, scale="mini", origin="runs"), PRINTED)
    assert (none.word, none.why) == ("not run", "the two sides have no seed in common")


def test_a_copied_number_is_compared_at_the_papers_scale_only():
    mine = [claim for claim in every() if claim.group == "C15"]
    scores = {side: [40.0, 40.1, 40.2] for claim in mine for side in sides_of(claim)}
    mini = {
        (key, task, "bleu" if metric == "bleu_romanian" else metric): v for (key, task, metric), v in scores.items()
    }
    assert {v.word for v in verdicts(mine, runs_of(mini), PRINTED)} == {"not run"}
    assert {v.differences.n for v in verdicts(mine, runs_of(scores, scale="paper"), PRINTED)} == {3}


def test_a_margin_within_the_papers_own_noise_is_said():
    """Single runs: twice √2 times the largest printed ± of the metric; Table 6's means of three have their own."""
    by_name = {v.claim.name: v for v in verdicts(every(), runs_of({}), PRINTED)}
    assert by_name["C8"].noise == pytest.approx(2 * np.sqrt(2) * 0.3)
    assert by_name["C8"].is_margin_in_noise
    assert by_name["C16-xsum-pfeiffer"].noise == pytest.approx(2 * np.sqrt((0.01**2 + 0.10**2) / 3))
    assert not by_name["C16-xsum-pfeiffer"].is_margin_in_noise
    assert by_name["C9b"].noise == pytest.approx(2 * np.sqrt(4) * 0.3)
    assert by_name["C9b"].margin == pytest.approx(1.5)
    assert by_name["C7e"].margin == pytest.approx(1.4)
    assert (
        "+0.3 BLEU on WMT16 en-ro, within its own noise of 0.8"
        in group_table("C8", list(by_name.values()), "mini").rows[0][1].text
    )


def test_the_miniature_is_called_by_its_own_names():
    found = verdicts(every(), runs_of({}), PRINTED)
    for group in GROUPS:
        for row in group_table(group, found, "mini").rows:
            assert row[3].text.startswith("mini-")
    assert "(../docs/statistics.md)" in page(found, "mini", docs="../")


def test_the_overview_counts_every_claim_once():
    *groups, total = overview(verdicts(every(), random_runs(3, 0.3)[0], PRINTED)).rows
    counts = np.array([[int(cell.text) for cell in row[1:5]] for row in groups])
    assert counts.sum() == 90
    assert [int(cell.text) for cell in total[1:5]] == counts.sum(axis=0).tolist()


def test_margins_are_said_for_every_metric():
    assert {claim.metric for claim in every()} <= ON_PAR.keys()


def test_a_side_that_is_no_row_is_refused(tmp_path):
    changed = (
        (ROOT / CLAIMS).read_text(encoding="utf-8").replace("pa_ffn@512 (Table 5) = 20.98", "pa_ffn@512 (Table 5) = 9")
    )
    path = tmp_path / "claims.csv"
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(DataError, match="no single published row"):
        claims(PRINTED, path)
