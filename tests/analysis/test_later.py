"""docs/later-methods.md agrees with its records, and its tests are scipy's."""

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from scipy import stats

from unidelta.analysis.frame import rows, runs
from unidelta.analysis.later import CROSSED, LARGE, PAGE, RESULTS, tables
from unidelta.analysis.page import filled
from unidelta.analysis.tuning import curves, tuned_for

ROOT = Path(__file__).parents[2]
Scores = dict[tuple[str, str], list[float]]


def scores_in(folder: Path) -> Scores:
    found: Scores = defaultdict(list)
    for path in (ROOT / folder / "mini" / "xsum").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        at = record["coordinates"]["method"], record["coordinates"]["position"]
        found[at].append(record["metrics"]["test"]["rouge2"])
    return found


@pytest.fixture(scope="module")
def scores() -> Scores:
    return scores_in(RESULTS)


@pytest.fixture(scope="module")
def large() -> Scores:
    return scores_in(LARGE)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return tables(*(rows(runs(ROOT / folder)) for folder in (RESULTS, LARGE, CROSSED)))


def lines(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]


def welch(first: list[float], second: list[float]) -> Any:
    return stats.ttest_ind(first, second, equal_var=False)


def holm(p_values: dict[str, float]) -> dict[str, float]:
    adjusted, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted


def test_the_page_is_that_of_the_records(made: dict[str, str]):
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert filled(page, made, name="page") == page


def test_at_half_a_percent_every_row_is_compared_with_lora_there(scores: Scores, made: dict[str, str]):
    compared(made["methods"], scores, lambda at: ("lora", at[1]))


def test_at_mams_size_every_row_is_compared_with_mam(large: Scores, made: dict[str, str]):
    compared(made["large"], large, lambda _: ("mam", "both"))


def compared(table: str, scores: Scores, opponent: Callable[[tuple[str, str]], tuple[str, str]]) -> None:
    """Every row of `table` has its mean, its difference and its p."""
    shown = lines(table)
    assert len(shown) == len(scores) and all(len(values) == 5 for values in scores.values())
    tested = {at: opponent(at) for at in scores if opponent(at) in scores and opponent(at) != at}
    adjusted = holm({" ".join(at): welch(scores[at], scores[other]).pvalue for at, other in tested.items()})
    means = []
    for method, position, _, _, score, difference, p in shown:
        at = method.strip("`"), "none" if position == "–" else position
        means.append(mean(scores[at]))
        assert score.split(" ± ")[0] == f"{mean(scores[at]):.1f}"
        if at not in tested:
            assert (difference, p) == ("–", "–")
            continue
        other = scores[tested[at]]
        half = welch(scores[at], other).confidence_interval().high - (mean(scores[at]) - mean(other))
        low, _, width = difference.replace("−", "-").partition(" ± ")
        assert math.isclose(float(low), mean(scores[at]) - mean(other), abs_tol=0.051)
        assert math.isclose(float(width), half, abs_tol=0.051)
        wanted = adjusted[" ".join(at)]
        assert p == ("< 0.001" if wanted < 0.001 else f"{wanted:.3f}")
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("size", ["", "large "])
def test_the_places_are_counted(size: str, scores: Scores, large: Scores, made: dict[str, str]):
    table, of_size = made[f"{size}places"], large if size else scores
    both = {method for method, position in of_size if position == "ffn" and (method, "attn") in of_size}
    differences = {method: mean(of_size[method, "ffn"]) - mean(of_size[method, "attn"]) for method in both}
    adjusted = holm({method: welch(of_size[method, "ffn"], of_size[method, "attn"]).pvalue for method in both})
    n_above = sum(difference > 0 for difference in differences.values())
    n_sure = sum(differences[method] > 0 and adjusted[method] <= 0.05 for method in both)
    assert [line[0].strip("`") for line in lines(table)] == sorted(both, key=lambda method: -differences[method])
    assert f"better place for {n_above} of {len(both)} methods; for {n_sure} of them p ≤ 0.05." in table


def test_the_orders_of_both_sizes_are_compared_pair_by_pair(scores: Scores, large: Scores, made: dict[str, str]):
    """Kendall's tau: pairs in the same order less pairs in the other one, as a share of all."""
    pairs = list(itertools.combinations(sorted(scores.keys() & large.keys()), 2))
    signs = [
        math.copysign(1, (mean(scores[one]) - mean(scores[other])) * (mean(large[one]) - mean(large[other])))
        for one, other in pairs
    ]
    assert f"Kendall's τ is {sum(signs) / len(pairs):+.2f} (p " in made["order"].replace("−", "-")


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
        p_values[shown[-1][0]] = welch(values, others).pvalue
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


@pytest.mark.parametrize("folder", [RESULTS, LARGE])
def test_every_rate_was_tried_and_is_not_on_an_edge_of_what_was(folder: Path):
    found = curves(rows(runs(ROOT / "results/mini/later_tuning")))
    assert all(len(curve.seeds) == 3 and curve.beyond() is None for curve in found.values())
    rates: dict[tuple[str, str], set[float | None]] = defaultdict(set)
    for tuned, curve in found.items():
        if (tuned.percent > 3) == (folder == LARGE):
            rates[tuned.method, tuned.kind].add(curve.best)
    final: dict[tuple[str, str], set[float | None]] = defaultdict(set)
    for row in rows(runs(ROOT / folder)):
        final[row["method"], tuned_for(row).kind].add(row["learning_rate"])
    tried_here = {at: used for at, used in final.items() if at in rates}
    assert tried_here == rates
