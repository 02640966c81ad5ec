"""docs/later-methods.md agrees with its records, and its tests are scipy's."""

import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import mean

import pytest
from scipy import stats

from unidelta.analysis.frame import rows, runs
from unidelta.analysis.later import CROSSED, PAGE, RESULTS, tables
from unidelta.analysis.page import filled
from unidelta.analysis.tuning import curves, tuned_for

ROOT = Path(__file__).parents[2]
Scores = dict[tuple[str, str], list[float]]


@pytest.fixture(scope="module")
def scores() -> Scores:
    found: Scores = defaultdict(list)
    for path in (ROOT / RESULTS / "mini" / "xsum").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        at = record["coordinates"]["method"], record["coordinates"]["position"]
        found[at].append(record["metrics"]["test"]["rouge2"])
    return found


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return tables(rows(runs(ROOT / RESULTS)), rows(runs(ROOT / CROSSED)))


def lines(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]


def holm(p_values: dict[str, float]) -> dict[str, float]:
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted


def test_the_page_is_that_of_the_records(made: dict[str, str]):
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(page, made, name="page") == page


def test_every_row_has_its_mean_its_difference_and_its_p(scores: Scores, made: dict[str, str]):
    shown = lines(made["methods"])
    assert len(shown) == len(scores) and all(len(values) == 5 for values in scores.values())
    tests = {}
    for at, values in scores.items():
        baseline = scores.get(("lora", at[1]), [])
        if baseline and at[0] != "lora":
            tests[" ".join(at)] = stats.ttest_ind(values, baseline, equal_var=False).pvalue
    adjusted = holm(tests)
    means = []
    for method, position, _, _, score, difference, p in shown:
        at = method.strip("`"), "none" if position == "–" else position
        means.append(mean(scores[at]))
        assert score.split(" ± ")[0] == f"{mean(scores[at]):.1f}"
        if " ".join(at) not in tests:
            assert (difference, p) == ("–", "–")
            continue
        found = stats.ttest_ind(scores[at], scores["lora", at[1]], equal_var=False)
        half = found.confidence_interval().high - (mean(scores[at]) - mean(scores["lora", at[1]]))
        low, _, width = difference.replace("−", "-").partition(" ± ")
        assert math.isclose(float(low), mean(scores[at]) - mean(scores["lora", at[1]]), abs_tol=0.051)
        assert math.isclose(float(width), half, abs_tol=0.051)
        wanted = adjusted[" ".join(at)]
        assert p == ("< 0.001" if wanted < 0.001 else f"{wanted:.3f}")
    assert means == sorted(means, reverse=True)


def test_the_places_are_counted(scores: Scores, made: dict[str, str]):
    table = made["places"]
    both = {method for method, position in scores if position == "ffn" and (method, "attn") in scores}
    differences = {method: mean(scores[method, "ffn"]) - mean(scores[method, "attn"]) for method in both}
    tests = {m: stats.ttest_ind(scores[m, "ffn"], scores[m, "attn"], equal_var=False).pvalue for m in both}
    adjusted = holm(tests)
    n_above = sum(difference > 0 for difference in differences.values())
    n_sure = sum(differences[method] > 0 and adjusted[method] <= 0.05 for method in both)
    assert [line[0].strip("`") for line in lines(table)] == sorted(both, key=lambda method: -differences[method])
    assert f"better place for {n_above} of {len(both)} methods; for {n_sure} of them p ≤ 0.05." in table


def test_every_crossed_cell_is_compared_with_its_parts(scores: Scores, made: dict[str, str]):
    cells: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for path in (ROOT / CROSSED / "mini" / "xsum").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        of_ffn = record["spec"]["design"]["parts"][-1]
        cells[record["coordinates"]["method"], of_ffn["form"], of_ffn["composition"]].append(
            record["metrics"]["test"]["rouge2"]
        )
    by_mean = {f"{mean(values):.1f}": values for values in cells.values()}
    assert len(by_mean) == 11 and all(len(values) == 5 for values in cells.values())
    shown, p_values, values = [], {}, []
    for line in made["crossed"].splitlines()[2:]:
        cell, _, _, score, part, difference, p = (text.strip() for text in line.strip("|").split("|"))
        values = by_mean.pop(score.split(" ± ")[0]) if cell else values
        name = part.strip("`")
        others = scores[name, "attn" if name == "prefix" else "ffn"]
        shown.append((f"{cell}{len(shown)}", mean(values) - mean(others), difference, p))
        p_values[shown[-1][0]] = stats.ttest_ind(values, others, equal_var=False).pvalue
    assert not by_mean
    adjusted = holm(p_values)
    for cell, wanted, difference, p in shown:
        assert math.isclose(float(difference.replace("−", "-").split(" ± ")[0]), wanted, abs_tol=0.051)
        assert p == ("< 0.001" if adjusted[cell] < 0.001 else f"{adjusted[cell]:.3f}")


def test_every_crossed_cell_has_the_rate_of_its_trials():
    found = curves(rows(runs(ROOT / "results/mini/crossed_tuning")))
    assert all(len(curve.seeds) == 3 and curve.beyond() is None for curve in found.values())
    rates = {(tuned.method, tuned.kind): curve.best for tuned, curve in found.items()}
    final = {(row["method"], tuned_for(row).kind): row["learning_rate"] for row in rows(runs(ROOT / CROSSED))}
    control = final.pop(("vera", "ffn additive"))
    assert final == rates and control == 0.08  # VeRA's at half a percent


def test_every_rate_was_tried_and_is_not_on_an_edge_of_what_was():
    found = curves(rows(runs(ROOT / "results/mini/later_tuning")))
    final = {(row["method"], row["position"]): row["learning_rate"] for row in rows(runs(ROOT / RESULTS))}
    tuned = {tuned.method for tuned in found}
    assert all(len(curve.seeds) == 3 and curve.beyond() is None for curve in found.values())
    rates = {(tuned.method, curve.best) for tuned, curve in found.items()}
    assert {(method, rate) for (method, _), rate in final.items() if method in tuned} == rates
