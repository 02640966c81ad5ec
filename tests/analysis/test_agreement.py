"""Shares, intervals and ceilings of agreement, against scipy, simulation and enumeration."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from unidelta.analysis.agreement import accuracy, bootstrap, clopper_pearson, ordered, same_again, truly_so
from unidelta.analysis.paper_pairs import of_rows

from .made_runs import PRINTED, as_printed, at, claimed, every, runs_of


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
    assert (sure.right, sure.half_width, sure.is_significant) == (1.0, None, False)  # of seeds, nothing is known
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


@pytest.mark.parametrize("n", [3, 5])
def test_the_bootstrap_is_that_of_all_resamples_of_the_designs(n: int):
    """Five designs have 5⁵ = 3125 equally likely resamples: each is made, and its pairs counted one by one."""
    table = of_rows(PRINTED[(PRINTED["artefact"] == "Table 3") & (PRINTED["metric"] == "R1")])
    keys = sorted({key for pair in table for key in pair.designs})[:n]
    pairs = [pair for pair in table if pair.designs <= set(keys)]
    means = dict(zip(keys, (1.0, 5.0, 2.0, 3.0, 3.0), strict=False))
    found, _ = ordered(pairs, runs_of({(key, "xsum", "rouge1"): [mean] for key, mean in means.items()}))
    right = {one.pair.designs: one.right for one in found}
    assert len(right) == math.comb(n, 2) and len(set(right.values())) > 1
    shares = []
    for drawn_keys in itertools.product(keys, repeat=n):
        met = [right[frozenset(two)] for two in itertools.combinations(drawn_keys, 2) if two[0] != two[1]]
        shares += [sum(met) / len(met)] if met else []
    assert len(shares) == n**n - n
    assert bootstrap(found, seed=1) == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])), abs=0.02)


def test_a_seed_gives_one_interval():
    found, _ = ordered(every(), as_printed(every(), lambda value: [value * math.sin(value)]))
    assert bootstrap(found, seed=1) == bootstrap(found, seed=1) != bootstrap(found, seed=2)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_where_no_resample_can_differ_there_is_no_interval_over_designs(share):
    found, _ = ordered(every(), as_printed(every(), lambda value: [0 if share == 0.5 else math.sin(value)]))
    alike = [each for each in found if each.right == share]
    assert len(alike) > 20 and bootstrap(alike, seed=1) is None
