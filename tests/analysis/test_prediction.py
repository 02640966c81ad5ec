"""Does small predict large: pairs, shares, intervals and ceilings against pandas, scipy and enumeration."""

import itertools
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unidelta.analysis import prediction
from unidelta.analysis.agreement import accuracy, bootstrap, clopper_pearson, ordered, same_again, truly_so
from unidelta.analysis.claims import CLAIMS, claims
from unidelta.analysis.names import metric_in_records, task_in_records
from unidelta.analysis.page import command, filled
from unidelta.analysis.paper_pairs import Pair, of_claims, of_rows
from unidelta.analysis.paper_rows import key_of_row
from unidelta.analysis.prediction import IMAGE, PAGE, images, predicted, tables
from unidelta.analysis.prediction_figure import drawn
from unidelta.analysis.published import FIGURES, published
from unidelta.analysis.runs import Runs
from unidelta.errors import ExitStatus

ROOT = Path(__file__).parents[2]
PRINTED = published(ROOT / FIGURES)


@cache
def claimed() -> dict[str, Pair]:
    return {pair.name: pair for pair in of_claims(claims(PRINTED, ROOT / CLAIMS), PRINTED)}


@cache
def every() -> tuple[Pair, ...]:
    return of_rows(PRINTED)


def runs_of(scores: dict[tuple[str, str, str], list[float]]) -> Runs:
    """Complete runs by key, task and metric as records name them."""
    rows: dict[tuple[str, str, int], dict] = {}
    for (key, task, metric), values in scores.items():
        for seed, value in enumerate(values):
            row = rows.setdefault((key, task, seed), {"key": key, "task": task, "seed": seed, "status": "complete"})
            row |= {metric: value, "run_id": f"{key}-{seed}"}
    return Runs.of(pd.DataFrame(list(rows.values()) or {"key": [], "task": []}), scale="mini", origin="runs")


def as_printed(pairs, change) -> Runs:
    """Runs with the printed values, changed: `change` has a value of each design of a task and metric."""
    values: dict[tuple[str, str, str], float] = {}
    for pair in pairs:
        for _, side in pair.sides:
            at = (side.key, task_in_records(pair.task), metric_in_records(pair.metric, "mini"))
            values.setdefault(at, side.value)
    return runs_of({at: change(value) for at, value in values.items()})


def at(pair: Pair, place: int) -> tuple[str, str, str]:
    return pair.sides[place][1].key, task_in_records(pair.task), metric_in_records(pair.metric, "mini")


def test_the_claims_pairs_are_the_distinct_ones_that_they_order():
    expected = set()
    for claim in claims(PRINTED, ROOT / CLAIMS):
        keys = (claim.first.key, claim.second.key)
        if claim.kind in ("above", "below") and claim.first.value != claim.second.value:
            larger, smaller = keys if claim.first.value > claim.second.value else keys[::-1]
            expected.add((claim.task, claim.metric, larger, smaller))
    simple = [pair for pair in claimed().values() if len(pair.sides) == 2]
    found = [(pair.task, pair.metric, *(side.key for _, side in pair.sides)) for pair in simple]
    assert len(found) == len(expected) and set(found) == expected
    assert all([sign for sign, _ in pair.sides] == [1, -1] for pair in simple)
    assert {pair.name for pair in claimed().values() if len(pair.sides) == 4} == {"C7e", "C9b"}
    assert "C16-xsum-pa_ffn" in claimed() and "C17d-xsum" not in claimed()  # one pair
    assert all(pair.margin > 0 for pair in claimed().values())


def test_of_an_interaction_the_difference_of_differences_is_compared():
    heads, shrunk = claimed()["C7e"], claimed()["C9b"]
    assert heads.margin == (35.3 * 10 - 33.7 * 10 - (35.8 * 10 - 35.6 * 10)) / 10 == 1.4
    assert shrunk.margin == 1.5  # (35.6 − 33.7) − (35.6 − 35.2)
    assert heads.words == "multi-head PA (attn) 30 − PA (attn) 30 > multi-head PA (attn) 200 − PA (attn) 200"
    assert shrunk.words == "PA (attn) 200 − PA (attn) 30 > prefix (attn) 200 − prefix (attn) 30"
    means = {"mh_pa_attn@30": 9.0, "pa_attn@30": 6.0, "mh_pa_attn@200": 20.0, "pa_attn@200": 16.0}
    runs = runs_of({(key, "wmt_en_ro", "bleu"): [mean] for key, mean in means.items()})
    ((one,), missing) = ordered([heads], runs)
    assert (one.difference, one.right, missing) == (-1.0, 0.0, [])


def test_pairs_of_rows_are_those_of_a_join_of_each_table_with_itself():
    frame = PRINTED[(PRINTED["provenance"] != "script-only") & (PRINTED["method"] != "full_ft_published")].copy()
    frame["key"] = [key_of_row(row) for row in frame.to_dict("records")]
    frame["value"] = frame["value"].astype(float)
    columns = ["artefact", "task", "metric"]
    joined = frame.merge(frame, on=columns, suffixes=("", "_2"))
    joined = joined[joined["value"] > joined["value_2"]]
    expected = {(row["task"], row["metric"], frozenset((row["key"], row["key_2"]))) for _, row in joined.iterrows()}
    found = [(pair.task, pair.metric, pair.designs) for pair in every()]
    assert len(found) == len(expected) and set(found) == expected
    printed = {tuple(row) for row in joined[[*columns, "key", "key_2"]].itertuples(index=False)}
    assert {(p.name, p.task, p.metric, *(side.key for _, side in p.sides)) for p in every()} <= printed
    conflict = next(p for p in every() if p.designs == {"sa_ffn@200", "prefix@200"} and p.metric == "R2")
    assert (conflict.name, conflict.margin) == ("Table 3", 0.48)  # Figure 4 plots 20.4 for 19.98


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("C16-xsum-pa_ffn", math.sqrt((0.01**2 + 0.17**2) / 3)),  # Table 6: three seeds each
        ("C19-mnli-prefix", math.sqrt((0.3**2 + 0.4**2) / 5)),  # Table 2: five
        ("C19-mnli-bitfit", math.sqrt(0.3**2 / 5 + 0.4**2)),  # one without ±: the largest of the metric, for one run
        ("C4b-xsum-ffn-200", math.sqrt(2 * 0.19**2)),
        ("C7e", math.sqrt(4 * 0.3**2)),
    ],
)
def test_the_error_of_a_margin_is_that_of_its_means(name: str, error: float):
    assert claimed()[name].error == pytest.approx(error, rel=1e-12)


def test_a_metric_without_a_printed_deviation_has_no_known_noise():
    unknown = {pair.metric for pair in every() if pair.error is None}
    assert unknown == {"RLsum"}
    pair = next(pair for pair in every() if pair.error is None)
    ((one,), _) = ordered([pair], as_printed([pair], lambda value: [value]))
    assert (one.paper_errors, one.is_clear_in_paper) == (None, None)
    of = accuracy([one], seed=0)
    assert (of.repeated, of.known, of.share) == (None, None, 1.0)


def test_a_difference_is_of_all_runs_and_its_interval_is_welchs():
    pair = claimed()["C13"]
    draws = np.random.default_rng(3)
    significant = set()
    for shift in (-1.0, 0.0, 0.9, 1.1, 4.0):
        first, second = draws.normal(shift, 1, 5).tolist(), draws.normal(0, 0.5, 3).tolist()
        ((one,), _) = ordered([pair], runs_of({at(pair, 0): first, at(pair, 1): second}))
        test = stats.ttest_ind(first, second, equal_var=False)
        low, high = test.confidence_interval()
        assert (one.difference - one.half_width, one.difference + one.half_width) == pytest.approx((low, high))
        assert one.is_significant == (test.pvalue < 0.05)
        assert one.right == float(np.mean(first) > np.mean(second))
        significant.add(one.is_significant)
    assert significant == {True, False}


def test_the_interval_of_an_interaction_is_of_four_means():
    pair = claimed()["C9b"]
    scores = {at(pair, i): np.random.default_rng(i).normal(0, i + 1, i + 3).tolist() for i in range(4)}
    ((one,), _) = ordered([pair], runs_of(scores))
    variances = [np.var(values, ddof=1) / len(values) for values in scores.values()]
    freedom = sum(variances) ** 2 / sum(v**2 / (len(s) - 1) for v, s in zip(variances, scores.values(), strict=True))
    assert one.half_width == pytest.approx(stats.t.ppf(0.975, freedom) * math.sqrt(sum(variances)))
    by_key = {key: float(np.mean(values)) for (key, _, _), values in scores.items()}
    expected = by_key["pa_attn@200"] - by_key["pa_attn@30"] - by_key["prefix@200"] + by_key["prefix@30"]
    assert one.difference == pytest.approx(expected)


def test_equal_means_are_half_right_a_single_run_is_not_significant_and_no_run_is_missing():
    pair = claimed()["C13"]
    ((tie,), _) = ordered([pair], runs_of({at(pair, 0): [0.1, 0.2, 0.4], at(pair, 1): [0.7 / 3]}))
    assert (tie.difference, tie.right, tie.half_width, tie.is_significant) == (0.0, 0.5, None, False)
    ((near,), _) = ordered([pair], runs_of({at(pair, 0): [50.0], at(pair, 1): [50.0001]}))
    assert near.right == 0.0
    ((sure,), _) = ordered([pair], runs_of({at(pair, 0): [2.0, 2.0], at(pair, 1): [1.0, 1.0]}))
    assert (sure.half_width, sure.is_significant) == (0.0, True)
    ((same,), _) = ordered([pair], runs_of({at(pair, 0): [2.0, 2.0], at(pair, 1): [2.0, 2.0]}))
    assert (same.right, same.is_significant) == (0.5, False)
    assert ordered([pair], runs_of({at(pair, 0): [2.0, 2.0]})) == ([], [pair])


@pytest.mark.parametrize(("right", "n"), [(0, 4), (1, 1), (3, 7), (45, 75), (75, 75)])
def test_the_plain_interval_is_clopper_pearsons(right: int, n: int):
    expected = stats.binomtest(right, n).proportion_ci(method="exact")
    assert clopper_pearson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_half_a_pair_lies_between_whole_ones():
    below, half, above = (clopper_pearson(right, 9) for right in (3, 3.5, 4))
    assert below[0] < half[0] < above[0] and below[1] < half[1] < above[1]


def test_a_repeat_agrees_as_often_as_simulated_repeats_do():
    """True differences from a flat prior, a measurement, and a second one; both kept where the first is near 1.3 σ."""
    draws = np.random.default_rng(0)
    true = draws.uniform(-8, 8, 2_000_000)
    first, second = true + draws.normal(size=true.size), true + draws.normal(size=true.size)
    kept = np.abs(first - 1.3) < 0.02
    assert np.mean(second[kept] > 0) == pytest.approx(same_again(1.3), abs=0.02)
    assert np.mean(true[kept] > 0) == pytest.approx(truly_so(1.3), abs=0.02)
    assert truly_so(1.3) - same_again(1.3) > 0.06
    assert (same_again(1e-9), truly_so(1e-9)) == (pytest.approx(0.5), pytest.approx(0.5))


def test_what_a_repeat_would_get_is_the_mean_over_the_pairs():
    found, _ = ordered(claimed().values(), as_printed(claimed().values(), lambda value: [value]))
    errors = [pair.margin / pair.error for pair in claimed().values()]
    of = accuracy(found, seed=0)
    assert of.repeated == pytest.approx(stats.norm.cdf(np.array(errors) / 2**0.5).mean())
    assert of.known == pytest.approx(stats.norm.cdf(errors).mean())
    assert [one.is_clear_in_paper for one in found] == [error > 2 for error in errors]


def test_the_bootstrap_is_that_of_all_resamples_of_the_designs():
    """Five designs have 5⁵ = 3125 equally likely resamples: each is made, and its pairs counted one by one."""
    five = ["Prefix, l=200", "SA (attn), r=200", "SA (ffn), r=200", "PA (attn), r=200", "PA (ffn), r=200"]
    pairs = of_rows(PRINTED[(PRINTED["artefact"] == "Table 3") & (PRINTED["metric"] == "R1")])
    assert len(pairs) == math.comb(len(five), 2)
    keys = sorted({key for pair in pairs for key in pair.designs})
    means = dict(zip(keys, (1.0, 5.0, 2.0, 3.0, 3.0), strict=True))
    found, _ = ordered(pairs, runs_of({(key, "xsum", "rouge1"): [mean] for key, mean in means.items()}))
    right = {one.pair.designs: one.right for one in found}
    assert len(set(right.values())) == 3
    shares = []
    for drawn_keys in itertools.product(keys, repeat=5):
        met = [right[frozenset(two)] for two in itertools.combinations(drawn_keys, 2) if two[0] != two[1]]
        shares += [sum(met) / len(met)] if met else []
    assert bootstrap(found, seed=1) == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])), abs=0.02)
    assert bootstrap(found, seed=1) == bootstrap(found, seed=1)
    wide, _ = ordered(every(), as_printed(every(), lambda value: [value * math.sin(value)]))
    assert bootstrap(wide, seed=1) != bootstrap(wide, seed=2)


def rows_of(table: str) -> dict[str, list[str]]:
    lines = (line.strip("|").split("|") for line in table.splitlines()[2:])
    return {name.strip(): [cell.strip() for cell in cells] for name, *cells in lines}


@pytest.mark.parametrize("sign", [1, -1])
def test_runs_like_the_papers_are_right_and_turned_round_wrong(sign: int):
    """All but a few: some designs are printed with other numbers elsewhere, of which these runs have the first."""
    values: dict[tuple[str, str, str], float] = {}
    for pair in every():
        for i, (_, side) in enumerate(pair.sides):
            values.setdefault(at(pair, i), side.value)
    made = tables(predicted(runs_of({place: [sign * value] * 2 for place, value in values.items()})))
    for name, pairs in (("comparisons", claimed().values()), ("pairs", every())):
        shown = [sum(s * values[at(pair, i)] for i, (s, _) in enumerate(pair.sides)) for pair in pairs]
        right = sum((1 + np.sign(np.round(sign * difference, 6))) / 2 for difference in shown)
        assert abs(right - len(pairs) * (sign > 0)) < 0.05 * len(pairs)
        cells = rows_of(made[name])
        low, high = clopper_pearson(right, len(pairs))
        assert cells["all"][:3] == [
            f"{right:g} of {len(pairs)}",
            f"{100 * right / len(pairs):.0f} %",
            f"{100 * low:.0f} to {100 * high:.0f} %",
        ]
        assert sum(int(cells[title][0].split()[-1]) for title in cells if title.startswith("mini-")) == len(pairs)
    assert made["in short"].count(f"{'more' if sign > 0 else 'less'} than a coin would get") == 2
    rights = [row[0].split(" of ") for row in rows_of(made["groups"]).values()]
    assert sum(int(n) for _, n in rights) == len(claimed())
    assert f"{sum(float(right) for right, _ in rights):g} of {len(claimed())}" == rows_of(made["comparisons"])["all"][0]
    assert made["not run"].count("All ") == 2


def test_noise_alone_is_not_distinguishable_from_a_coin():
    draws = np.random.default_rng(5)
    made = tables(predicted(as_printed(every(), lambda value: draws.normal(size=3).tolist())))
    assert made["in short"].count("not distinguishable from a coin's 50 %") == 2


def test_the_parts_split_the_pairs_by_the_papers_noise_and_by_significance():
    def n_of(table: dict[str, list[str]], name: str) -> int:
        return int(table[name][0].split()[-1]) if name in table else 0

    draws = np.random.default_rng(6)
    found = predicted(as_printed(every(), lambda value: (value + draws.normal(0, 0.3, 4)).tolist()))
    table = rows_of(tables(found)["pairs"])
    clear, close, unknown, sure, unsure, both = (list(prediction.PARTS)[i] for i in range(1, 7))
    assert n_of(table, clear) + n_of(table, close) + n_of(table, unknown) == len(every())
    assert n_of(table, clear) == sum(pair.error is not None and pair.margin > 2 * pair.error for pair in every())
    assert n_of(table, unknown) == sum(pair.error is None for pair in every()) > 0
    assert n_of(table, sure) + n_of(table, unsure) == len(every())
    assert n_of(table, sure) == sum(one.is_significant for one in found.of_rows)
    assert (
        0
        < n_of(table, both)
        == sum(one.is_significant and one.paper_errors is not None and one.paper_errors > 2 for one in found.of_rows)
    )


def test_a_failure_is_listed_with_both_differences_and_the_clearest_comes_first():
    scores = zip((0, 1), ([1.0, 1.2, 1.4], [3.0, 3.3, 3.6]), strict=True)
    places = [(at(claimed()["C13"], i), values) for i, values in scores]
    rouge = ("rouge1", "rouge2", "rougeL", "rougeLsum")
    made = tables(predicted(runs_of({(*place[:2], name): values for place, values in places for name in rouge})))
    (row,) = rows_of(made["failures"]).items()
    width = np.diff(stats.ttest_ind([1.0, 1.2, 1.4], [3.0, 3.3, 3.6], equal_var=False).confidence_interval())[0] / 2
    order, errors = "scaled PA (ffn) 512 > LoRA (ffn) 102", f"{0.23 / (0.19 * 2**0.5):.1f}"
    assert row == ("C13", [order, "mini-XSum R-2", "+0.23", errors, f"−2.10 ± {width:.2f}", "significant"])
    assert rows_of(made["groups"])["C13: The scaled parallel adapter is the best at the FFN (§4.5)"][0] == "0 of 1"
    assert "C11," in made["not run"] and not re.search(r"\bC13\b", made["not run"])
    wrong = tables(predicted(as_printed(every(), lambda value: [-value])))["failures"]
    errors_shown = [float(row[3]) for row in rows_of(wrong).values()]
    assert errors_shown == sorted(errors_shown, reverse=True)


def test_without_runs_the_page_says_so():
    made = tables(predicted(runs_of({})))
    assert made["in short"].count("None of the") == 2
    assert made["failures"] == "None."
    assert all(name in made["not run"] for name in claimed())
    assert f"{len(every())} pairs of rows not run: Table 2, Table 3" in made["not run"]


def test_a_point_is_at_its_margin_and_difference_and_what_is_beyond_at_the_end():
    pair = claimed()["C13"]
    scores = {at(pair, 0): [1.0, 1.2, 1.4], at(pair, 1): [1.1, 1.2, 1.6]}
    ((one,), _) = ordered([pair], runs_of(scores))
    ((sure,), _) = ordered([pair], runs_of({at(pair, 0): [1.0, 1.0], at(pair, 1): [3.0, 3.0]}))
    ((single,), _) = ordered([pair], runs_of({at(pair, 0): [1.0], at(pair, 1): [3.0]}))
    (axes,) = drawn([one, sure, single], [single], "mini").axes
    (dots,) = [line for line in axes.get_lines() if line.get_gid() == "claims-xsum"]
    x = 0.23 / (2 * 0.19 * 2**0.5)
    interval = stats.ttest_ind(*scores.values(), equal_var=False).confidence_interval()
    y = (1.2 - 1.3) / ((interval.high - interval.low) / 2)
    assert np.transpose(dots.get_data()) == pytest.approx(np.array([(x, y), (x, -10.0)]))
    assert not [line for line in axes.get_lines() if line.get_gid() == "rows-xsum"]  # one run has no interval
    texts = [text.get_text() for text in axes.texts]
    assert "within the paper's noise,\nother order here: 3 of 3" in texts
    assert "clear in the paper,\nsame order here: 0 of 0" in texts


def test_the_page_and_its_figure_show_what_the_records_say(committed: Runs):
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    found = predicted(committed)
    assert filled(page, tables(found), name=str(PAGE)) == page
    assert images(found) == {IMAGE: (ROOT / IMAGE).read_bytes()}


def test_an_image_of_a_page_is_written_and_compared_with_its_table(tmp_path: Path, capsys):
    page, image = tmp_path / "page.md", tmp_path / "new" / "image.svg"
    page.write_text("<!-- table: a -->\n<!-- end -->\n")
    image_now = b"<svg/>"

    def run(*words: str) -> ExitStatus:
        return command("a.module", "", page, lambda: {"a": "| a |"}, words, lambda: {image: image_now})

    assert run() is ExitStatus.FAILED
    assert f"{page}, {image} out of date" in capsys.readouterr().out
    assert not image.exists() and "| a |" not in page.read_text()
    assert run("--write") is ExitStatus.DONE
    assert (image.read_bytes(), page.read_text()) == (b"<svg/>", "<!-- table: a -->\n| a |\n<!-- end -->\n")
    assert (run(), capsys.readouterr().out) == (ExitStatus.DONE, "")
    image.write_bytes(b"<svg></svg>")
    assert run() is ExitStatus.FAILED
    assert str(page) not in capsys.readouterr().out
