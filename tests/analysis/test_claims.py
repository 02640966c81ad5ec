"""The 90 comparisons: each finds its sides, and each group's verdicts follow from independently computed statistics."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unidelta.analysis.claims import CLAIMS, GROUPS, ON_PAR, Claim, claims, margin_of
from unidelta.analysis.claims_page import group_table, overview, page
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.next_look import lines
from unidelta.analysis.plan import Plan, plan_for
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.runs import Runs
from unidelta.analysis.verdicts import Verdict, verdicts
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
    first, second = claim.first.key, claim.second.key
    sides = {"C7e": ("mh_pa_attn@30", "pa_attn@30", "mh_pa_attn@200", "pa_attn@200")}
    sides["C9b"] = ("pa_attn@200", "pa_attn@30", "prefix@200", "prefix@30")
    keys = sides.get(claim.name, (first, second))
    found = [
        np.full(N, claim.second.value) if key == "full_ft_published" else np.array(scores[key, *at]) for key in keys
    ]
    shares = [np.var(values, ddof=1) / N for values in found]
    freedom = sum(shares) ** 2 / sum(share**2 / (N - 1) for share in shares)
    middle = sum(sign * values.mean() for sign, values in zip((1, -1, -1, 1), found, strict=False))

    def beyond(bound, alternative="two-sided") -> float:
        t = (middle - bound) / np.sqrt(sum(shares))
        tails = {"greater": stats.t.sf(t, freedom), "less": stats.t.cdf(t, freedom)}
        return tails.get(alternative, 2 * min(tails.values()))

    match claim.group, claim.name.split("-")[0]:
        case (("C14" | "C18"), _):
            margin = {"R1": 0.3, "R2": 0.1, "RL": 0.2, "BLEU": 0.2, "accuracy": 0.4}[claim.metric]
            inside = max(beyond(-margin, "greater"), beyond(margin, "less"))
            outside = 2 * min(beyond(-margin, "less"), beyond(margin, "greater"))
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
    holds = sign * (middle - bound) > 0
    return "supported" if holds else "contradicted", beyond(bound)


def judged(runs: Runs, mine=None, plan: Plan | None = None) -> dict[str, Verdict]:
    """Verdicts by name, at one look as at the paper's scale, or by a plan."""
    mine = mine or every()
    return {v.claim.name: v for v in verdicts(mine, runs, PRINTED, plan or plan_for("paper", mine))}


def test_there_are_90_comparisons_in_19_groups():
    assert len(every()) == 90
    assert {claim.group for claim in every()} == set(GROUPS)


def test_printed_margins_are_those_of_the_file():
    lines = published(ROOT / CLAIMS).set_index("id")["published_margin_a_minus_b"]
    assert {claim.name: margin_of((claim.first, claim.second)) for claim in every()} == {
        str(n): float(m) for n, m in lines.items()
    }


@pytest.mark.parametrize("spread", [0.05, 0.3, 1.5])
def test_verdicts_are_those_of_scipys_tests_adjusted_in_groups_and_over_them(spread):
    """The four claims that repeat another one have its verdict and count once."""
    runs, scores = random_runs(int(100 * spread), spread)
    found = judged(runs)
    own = [claim for claim in every() if not found[claim.name].same_as]
    assert len(own) == 87
    adjusted: dict[str, float] = {}
    for group in GROUPS:
        mine = [claim for claim in own if claim.group == group]
        ps = sorted((expected(claim, scores)[1], claim.name) for claim in mine)
        largest = 0.0
        for rank, (p, name) in enumerate(ps):
            largest = max(largest, min(1.0, (len(ps) - rank) * p))
            adjusted[name] = largest
    smallest = [min(adjusted[claim.name] for claim in own if claim.group == group) for group in GROUPS]
    share = np.mean(stats.false_discovery_control(smallest, method="bh") <= 0.05)
    words = {name: one.word for name, one in found.items()}
    for claim in own:
        if words[claim.name] == "practically equal":
            low, high = interval_of_90(claim, scores)
            assert -ON_PAR[claim.metric] < low < high < ON_PAR[claim.metric], claim.name
            continue
        assert found[claim.name].p == pytest.approx(adjusted[claim.name], rel=1e-6), claim.name
        is_decided = adjusted[claim.name] <= 0.05 * share
        assert words[claim.name] == (expected(claim, scores)[0] if is_decided else "undecided"), claim.name
        assert found[claim.name].difference.n == N
    for name, one in found.items():
        assert not one.same_as or words[name] == words[one.same_as]


def interval_of_90(claim, scores) -> tuple[float, float]:
    at = (task_in_records(claim.task), metric_in_records(claim.metric, "paper"))
    first, second = (scores[side.key, *at] for side in (claim.first, claim.second))
    return tuple(stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.9))


def test_with_little_noise_the_paper_supports_itself():
    found = judged(random_runs(7, 0.001)[0])
    # values that are printed equal, or at the very margin of what counts as equal, decide nothing
    undecided = {name for name, v in found.items() if v.word == "undecided"}
    assert undecided <= {"C2-mnli-prefix", "C14-wmt16_en_ro-BLEU", "C18-sst2"}
    assert {v.word for v in found.values()} <= {"supported", "practically equal", "undecided"}
    for v in found.values():
        assert v.word != "practically equal" or abs(v.margin) < ON_PAR[v.claim.metric]


def test_without_runs_nothing_is_said_and_every_side_has_its_command():
    for verdict in judged(runs_of({})).values():
        assert verdict.word == "not run"
        assert verdict.commands or verdict.claim.group == "C15"
        assert verdict.difference.n == 0


def planned(looks=(2, 4), on_par=1.0) -> Plan:
    plan = plan_for("paper", every())
    same = {name: replace(one, on_par=on_par) for name, one in plan.judged.items()}
    return replace(plan, looks=looks, seeds=(1, 2, 3, 4, 5, 6), nominal=0.02, judged=same)


C8 = [("prefix@30", "wmt_en_ro", "bleu"), ("prefix_nogate@30", "wmt_en_ro", "bleu")]


@pytest.mark.parametrize(
    ("first", "second", "word", "n"),
    [
        ([50.0], [40.0], "not run", 0),  # the first look takes two seeds
        ([50.0, 50.1], [40.0, 40.1], "supported", 2),
        ([50.0, 50.1, 0.0, 0.0], [40.0, 40.1, 99.0, 99.0], "supported", 2),  # decided at the first look, and stays so
        ([50.0, 45.0, 50.0, 50.1], [49.0, 51.0, 30.0, 30.1], "undecided", 4),
        ([50.0] * 4, [40.0] * 4, "undecided", 4),  # nothing says how far apart other seeds would be
        ([50.0, 50.01, 50.0, 50.02], [50.1, 50.11, 50.1, 50.12], "practically equal", 2),
        ([96.5, 96.4], [96.2, 96.9], "at ceiling", 2),  # of 96.9
        ([96.5, 96.4], [90.0, 90.1], "supported", 2),
        ([40.0, 40.1], [50.0, 50.1], "contradicted", 2),
    ],
)
def test_looks_at_the_data(first, second, word, n):
    mine = [claim for claim in every() if claim.name == "C8"]
    found = judged(runs_of({C8[0]: first, C8[1]: second}), mine, planned())["C8"]
    assert (found.word, found.difference.n) == (word, n)


def test_the_next_look_has_more_seeds_for_what_is_undecided_and_nothing_else():
    """A run that diverged is not run again, and one that is there already is not asked for."""
    mine = [claim for claim in every() if claim.name == "C8"]
    asked = {}
    for name, first, second in [("open", [50.0, 45.0], [49.0, 51.0]), ("decided", [50.0, 50.1], [40.0, 40.1])]:
        frame = runs_of({C8[0]: [*first, 47.0] if name == "open" else first, C8[1]: second}).frame
        frame.loc[(frame.key == C8[1][0]) & (frame.seed == 2) & (name == "open"), "status"] = "diverged"
        runs = Runs.of(frame, scale="mini", origin="runs")
        found = lines(tuple(judged(runs, mine, planned()).values()), runs, planned())
        asked[name] = [line.partition("seed=")[2] for line in found]
    assert asked == {"open": ["4 results_dir=runs", "3,4 results_dir=runs"], "decided": []}


def test_a_run_that_diverged_is_not_waited_for_and_other_seeds_do_not_count():
    mine = [claim for claim in every() if claim.name == "C8"]
    frame = runs_of({C8[0]: [50.0, 50.1, 50.0], C8[1]: [40.0, 40.1, 40.0]}).frame
    frame.loc[(frame.key == "prefix@30") & (frame.seed == 3), "status"] = "diverged"
    plan = planned(looks=(3,))
    found = judged(Runs.of(frame, scale="mini", origin="runs"), mine, plan)["C8"]
    assert (found.word, found.difference.n) == ("supported", 2)
    later = frame.assign(seed=frame.seed + 20)
    assert judged(Runs.of(later, scale="mini", origin="runs"), mine, plan)["C8"].word == "not run"


def test_a_plan_names_the_designs_and_bounds_of_a_claim():
    mine = [claim for claim in every() if claim.name in ("C8", "C9a")]
    plan = planned()
    named = replace(plan.judged["C8"], second="lora_ffn@102")
    moved = replace(plan.judged["C9a"], bound=20.0)
    plan = replace(plan, judged=plan.judged | {"C8": named, "C9a": moved})
    sides = {"lora_ffn@102": 30.0, "prefix@30": 50.0, "prefix_nogate@30": 60.0, "prefix@200": 65.0}
    runs = runs_of({(key, "wmt_en_ro", "bleu"): [value, value + 0.1] for key, value in sides.items()})
    assert {name: v.word for name, v in judged(runs, mine, plan).items()} == {"C8": "supported", "C9a": "supported"}
    assert {name: v.word for name, v in judged(runs, mine, planned()).items()} == {
        "C8": "contradicted",
        "C9a": "contradicted",
    }


def test_a_copied_number_is_compared_at_the_papers_scale_only():
    mine = [claim for claim in every() if claim.group == "C15"]
    scores = {side: [40.0, 40.1, 40.2] for claim in mine for side in sides_of(claim)}
    mini = {
        (key, task, "bleu" if metric == "bleu_romanian" else metric): v for (key, task, metric), v in scores.items()
    }
    assert {v.word for v in judged(runs_of(mini), mine).values()} == {"not run"}
    assert {v.difference.n for v in judged(runs_of(scores, scale="paper"), mine).values()} == {3}


def test_a_margin_within_the_papers_own_noise_is_said():
    """Single runs: twice √2 times the largest printed ± of the metric; Table 6's means of three have their own."""
    by_name = judged(runs_of({}))
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
    found = tuple(judged(runs_of({})).values())
    for group in GROUPS:
        for row in group_table(group, found, "mini").rows:
            assert row[3].text.startswith("mini-")
    assert "(../docs/protocol.md)" in page(found, "mini", fixed="", docs="../")


def test_the_overview_counts_every_claim_once():
    *groups, total = overview(tuple(judged(random_runs(3, 0.3)[0]).values())).rows
    counts = np.array([[int(cell.text) for cell in row[1:7]] for row in groups])
    assert counts.sum() == 87
    assert [int(cell.text) for cell in total[1:7]] == counts.sum(axis=0).tolist()


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
