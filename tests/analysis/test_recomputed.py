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

RESULTS = Path(__file__).parents[2] / "results"
METRICS = {"R-1": "rouge1", "R-2": "rouge2", "R-L": "rougeL", "R-LSum": "rougeLsum", "ROUGE-2": "rouge2"}
METRICS |= {"BLEU": "bleu", "accuracy": "accuracy"}
APART = ("tuning", "scales", "doubled")  # searches, and runs of other lengths: of no table


@cache
def records() -> dict[str, dict[str, Any]]:
    paths = [path for path in sorted((RESULTS / "mini").glob("*/mini/*/*.json")) if path.parts[-4] not in APART]
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


def differences(claim: dict[str, Any]) -> np.ndarray:
    sides: dict[str, dict[int, float]] = {}
    for name in claim["runs"]:
        seed = records()[name]["spec"]["seed"]
        sides.setdefault(setting(name), {})[seed] = score(name, claim["metric"])
    for text in sides:
        assert {records()[name]["spec"]["seed"] for name in of_setting()[text]} == set(sides[text])
    ordered = list(sides.values())
    assert len(ordered) in (2, 4), claim["name"]
    shared = sorted(set.intersection(*(set(side) for side in ordered)))
    found = [
        [one[seed] - other[seed] for seed in shared] for one, other in zip(ordered[::2], ordered[1::2], strict=True)
    ]
    return np.array(found[0]) - (np.array(found[1]) if len(found) > 1 else 0.0)


def outcome(values: np.ndarray, condition: str) -> tuple[str, float]:
    """The verdict that the test favours, and its p-value."""
    bound = float(re.search(r"-?[\d.]+", condition)[0])

    def above(where: float) -> float:
        return stats.ttest_1samp(values, where, alternative="greater").pvalue

    if condition.startswith("within"):
        inside, beyond = max(above(-bound), 1 - above(bound)), min(1, 2 * min(above(bound), 1 - above(-bound)))
        return ("supported", inside) if inside <= beyond else ("contradicted", beyond)
    p = above(bound)
    is_above = condition.startswith("above")
    return "supported" if (p <= 0.5) == is_above else "contradicted", 2 * min(p, 1 - p)


def test_every_claim_has_the_difference_p_value_and_verdict_that_follow_from_its_runs():
    groups = defaultdict(list)
    for claim in claims():
        groups[claim["group"]].append(claim)
    n_tested = 0
    for mine in groups.values():
        tested = [(claim, differences(claim)) for claim in mine if claim["verdict"] != "not run"]
        found = [outcome(values, claim["condition"]) for claim, values in tested]
        order = np.argsort([p for _, p in found], kind="stable")
        adjusted, largest = {}, 0.0
        for rank, i in enumerate(order):  # Holm
            largest = max(largest, min(1.0, (len(found) - rank) * found[i][1]))
            adjusted[i] = largest
        for i, (claim, values) in enumerate(tested):
            digits = 2 if claim["metric"].startswith("rouge") else 1
            half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
            mean = f"{values.mean():+.{digits}f}".replace("-", "−")
            mean = mean[1:] if float(mean.replace("−", "-")) == 0 else mean
            assert claim["difference"] == f"{mean} ± {half:.{digits}f}", claim["name"]
            assert claim["n"] == len(values)
            assert claim["p"] == ("< 0.001" if adjusted[i] < 0.001 else f"{adjusted[i]:.3f}"), claim["name"]
            assert claim["verdict"] == (found[i][0] if adjusted[i] < 0.05 else "inconclusive")
            n_tested += 1
    assert n_tested == 86 and sum(map(len, groups.values())) == 90


def test_every_run_of_the_page_scored_what_its_record_says():
    page = (RESULTS / "report" / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr id="run-(\w+)".*?</tr>', page)
    assert sorted(rows) == sorted(records())
    for name, row in re.findall(r'<tr id="run-(\w+)"(.*?)</tr>', page):
        texts = [html.unescape(re.sub("<.*?>", "", cell)) for cell in re.findall(r"<td.*?</td>", row)]
        assert float(texts[7]) == pytest.approx(score(name, texts[8]), abs=0.005)
