"""The committed report, computed again from the JSON of its records by a few lines of numpy and scipy alone."""

import csv
import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from unidelta.analysis.oracle import ORACLE

RESULTS = Path(__file__).parents[2] / "results"
METRICS = {"R-1": "rouge1", "R-2": "rouge2", "R-L": "rougeL", "R-LSum": "rougeLsum", "ROUGE-2": "rouge2"}
METRICS |= {"BLEU": "bleu", "accuracy": "accuracy"}
OF_TABLES = ("main", "paper")  # not searches, runs of other lengths, later methods, another backbone


@cache
def records() -> dict[str, dict[str, Any]]:
    paths = [path for name in OF_TABLES for path in sorted((RESULTS / "mini" / name / "mini").glob("*/*.json"))]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def score(run_id: str, metric: str) -> float:
    record = records()[run_id]
    return record["metrics"][record["spec"]["task"]["test_split"]][metric]


def setting(run_id: str) -> str:
    spec = {name: value for name, value in records()[run_id]["spec"].items() if name != "seed"}
    return json.dumps(spec, sort_keys=True)


@cache
def of_setting() -> dict[str, set[str]]:
    found = defaultdict(set)
    for run_id in records():
        found[setting(run_id)].add(run_id)
    return found


def cells() -> Iterator[dict[str, str]]:
    for path in sorted((RESULTS / "mini").glob("*/*.csv")):
        for line in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            if line["run_ids"]:
                yield line


def test_every_cell_and_point_is_the_mean_of_all_runs_of_its_setting_with_the_t_interval():
    n_cells = 0
    for line in cells():
        names = line["run_ids"].split()
        metric = METRICS[re.search(r"(R-\w+|ROUGE-2|BLEU|accuracy)", line["column"])[1]]
        values = [score(name, metric) for name in names]
        assert set(names) == of_setting()[setting(names[0])], line  # not one too many, not one too few
        assert float(line["value"]) == pytest.approx(np.mean(values), rel=1e-7)
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
        assert float(line["half_width"]) == pytest.approx(half, rel=1e-5, abs=1e-9)
        assert int(line["n"]) == len(values)
        digits = 1 if metric in ("bleu", "accuracy") and "score" not in line["column"] else 2
        assert line["text"] == f"{np.mean(values):.{digits}f} ± {half:.{digits}f} (n={len(values)})"
        n_cells += 1
    assert n_cells > 150


def claims() -> Iterator[dict[str, Any]]:
    """The rows of the page's claims: group, name, condition, runs and what is said of them."""
    page = (RESULTS / "report" / "index.html").read_text(encoding="utf-8")
    for group, body in re.findall(r'<tbody id="(C\d+)">(.*?)</tbody>', page, re.DOTALL):
        for row in re.findall(r"<tr class=\"[a-z-]+\" data-verdict.*?</tr>", body, re.DOTALL):
            texts = [html.unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
            tip = html.unescape(re.search(r'data-tip="([^"]*)"', row)[1])
            runs = re.search(r'data-runs="([^"]*)"', row)
            yield {
                "group": group,
                "name": texts[0],
                "condition": re.search(r"difference is (.*)\.$", tip)[1].replace("−", "-"),
                "metric": METRICS[texts[2].split()[-1]],
                "difference": texts[4],
                "n": int(texts[5]),
                "p": texts[7],
                "verdict": texts[8],
                "runs": runs[1].split() if runs else [],
            }


def sides(claim: dict[str, Any]) -> list[dict[int, float]]:
    """The scores of the two or four sides by seed."""
    found: dict[str, dict[int, float]] = {}
    for name in claim["runs"]:
        seed = records()[name]["spec"]["seed"]
        found.setdefault(setting(name), {})[seed] = score(name, claim["metric"])
    for text in found:
        assert {records()[name]["spec"]["seed"] for name in of_setting()[text]} == set(found[text])
    assert len(found) in (0, 2, 4), claim["name"]
    return list(found.values())


def welch(scores: list[np.ndarray]) -> tuple[float, float, float]:
    """Difference, standard error and degrees of freedom."""
    shares = np.array([values.var(ddof=1) / len(values) for values in scores])
    freedom = shares.sum() ** 2 / (shares**2 / [len(values) - 1 for values in scores]).sum()
    signs = [1, -1, -1, 1][: len(scores)]
    return float(np.dot(signs, [values.mean() for values in scores])), float(np.sqrt(shares.sum())), float(freedom)


def outcome(found: tuple[float, float, float], condition: str) -> tuple[str, float]:
    """The verdict that the test favours, and its p-value."""
    bound = float(re.search(r"-?[\d.]+", condition)[0])
    mean, error, freedom = found

    def above(where: float) -> float:
        return stats.t.sf((mean - where) / error, freedom)

    if condition.startswith("within"):
        inside, beyond = max(above(-bound), 1 - above(bound)), min(1, 2 * min(above(bound), 1 - above(-bound)))
        return ("supported", inside) if inside <= beyond else ("contradicted", beyond)
    p = above(bound)
    is_above = condition.startswith("above")
    return "supported" if (p <= 0.5) == is_above else "contradicted", 2 * min(p, 1 - p)


def counting(ps: dict[str, float], group_of: dict[str, str], level: float) -> dict[str, tuple[float, bool]]:
    """Adjusted p-values (Holm in each group), and whether they count (Benjamini and Hochberg over the groups)."""
    adjusted: dict[str, float] = {}
    for group in set(group_of.values()):
        ordered = sorted((p, name) for name, p in ps.items() if group_of[name] == group)
        for rank, (p, name) in enumerate(ordered):
            before = adjusted[ordered[rank - 1][1]] if rank else 0.0
            adjusted[name] = max(before, min(1.0, (len(ordered) - rank) * p))
    smallest = [min(adjusted[name] for name in ps if group_of[name] == group) for group in {group_of[n] for n in ps}]
    share = np.mean(stats.false_discovery_control(smallest, method="bh") <= level) if smallest else 0.0
    return {name: (p, p <= level * share) for name, p in adjusted.items()}


def test_every_claim_has_the_difference_p_value_and_verdict_that_follow_from_its_runs():
    plan = json.loads((RESULTS / "plan.json").read_text(encoding="utf-8"))
    every = {claim["name"]: claim for claim in claims()}
    own = {name: claim for name, claim in every.items() if "(as " not in claim["verdict"]}
    assert (len(every), len(own)) == (90, 88)
    word: dict[str, str] = {}
    last: dict[str, tuple[list[np.ndarray], float | None]] = {}
    for look in plan["looks"]:
        seeds = plan["seeds"][:look]
        found = {}
        for name, claim in own.items():
            scores = [] if claim["verdict"].startswith("not run") else sides(claim)
            if word.get(name, "undecided") == "undecided" and scores and all(set(seeds) <= set(one) for one in scores):
                found[name] = [np.array([one[seed] for seed in seeds]) for one in scores]
        for name in list(found):
            least = ORACLE[task_of(own[name]), own[name]["metric"]] - plan["claims"][name]["on_par"]
            if all(values.mean() >= least for values in found[name]):
                word[name], last[name] = "at ceiling", (found.pop(name), None)
        tests = {name: outcome(welch(scores), own[name]["condition"]) for name, scores in found.items()}
        group_of = {name: own[name]["group"] for name in found}
        of_test = counting({name: p for name, (_, p) in tests.items()}, group_of, plan["nominal"])
        equal = {}
        for name, scores in found.items():
            if own[name]["condition"] in ("above 0", "below 0", "above 0, of two differences"):
                mean, error, freedom = welch(scores)
                margin = plan["claims"][name]["on_par"]
                inside = stats.t.sf((mean + margin) / error, freedom), stats.t.cdf((mean - margin) / error, freedom)
                equal[name] = max(inside)
        of_equal = counting(equal, group_of, plan["nominal"])
        for name, scores in found.items():
            p, is_decided = of_test[name]
            word[name] = tests[name][0] if is_decided else "undecided"
            if of_equal.get(name, (1.0, False))[1]:
                p, word[name] = of_equal[name][0], "practically equal"
            last[name] = scores, p
    assert len(last) > 80
    for name, claim in every.items():
        told, _, same = claim["verdict"].partition(" (as ")
        name = same.rstrip(")") or name
        assert told.partition(" (")[0] == word.get(name, "not run"), name
        if name not in last:
            continue
        scores, p = last[name]
        mean, error, freedom = welch(scores)
        digits = 2 if claim["metric"].startswith("rouge") else 1
        shown = [float(text) for text in claim["difference"].replace("−", "-").split(" ± ")]
        expected = [mean, stats.t.ppf(0.975, freedom) * error]
        assert shown == pytest.approx(expected, abs=0.5 * 10**-digits + 1e-9), name
        assert claim["n"] == min(map(len, scores))
        assert p is None or claim["p"] == ("< 0.001" if p < 0.001 else f"{p:.3f}"), name


def task_of(claim: dict[str, Any]) -> str:
    (task,) = {records()[name]["spec"]["task"]["name"] for name in claim["runs"]}
    return task


def test_every_run_of_the_page_scored_what_its_record_says():
    page = (RESULTS / "report" / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr id="run-(\w+)".*?</tr>', page)
    assert sorted(rows) == sorted(records())
    for name, row in re.findall(r'<tr id="run-(\w+)"(.*?)</tr>', page):
        texts = [html.unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<td.*?</td>", row)]
        assert float(texts[7]) == pytest.approx(score(name, texts[8]), abs=0.005)
