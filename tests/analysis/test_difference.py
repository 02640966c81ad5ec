"""Intervals, tests and adjustments against scipy's own, called directly."""

import math

import numpy as np
import pytest
from scipy import stats

from unidelta.analysis.adjust import holm, share_selected
from unidelta.analysis.difference import Difference, above, below, difference, within
from unidelta.analysis.score import Score, half_width

SAMPLES = [np.random.default_rng(seed).normal(0.3, 0.5, n).tolist() for seed, n in ((1, 2), (2, 3), (3, 5), (4, 40))]


def score(values) -> Score:
    return Score(values=tuple(values), seeds=tuple(range(len(values))))


def differences(values) -> Difference:
    """Pairs that differ by these values."""
    return difference(score(values), score([0.0] * len(values)), test="paired")


@pytest.mark.parametrize("values", SAMPLES)
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_is_scipys(values, confidence):
    low, high = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
    assert half_width(values, confidence) == pytest.approx((high - low) / 2, rel=1e-12)


def test_a_single_score_has_a_mean_and_no_interval():
    one = Score(values=(20.5,), seeds=(1,))
    assert (one.n, one.mean, one.half_width) == (1, 20.5, None)
    assert (Score().mean, Score().half_width) == (None, None)


@pytest.mark.parametrize("values", SAMPLES)
@pytest.mark.parametrize("bound", [-1.0, 0.0, 0.3])
def test_above_and_below_are_the_two_sided_t_test(values, bound):
    expected = stats.ttest_1samp(values, bound).pvalue
    over = np.mean(values) > bound
    assert above(differences(values), bound).p == pytest.approx(expected, rel=1e-9)
    assert below(differences(values), bound).p == pytest.approx(expected, rel=1e-9)
    assert above(differences(values), bound).favours == ("supported" if over else "contradicted")
    assert below(differences(values), bound).favours == ("contradicted" if over else "supported")


@pytest.mark.parametrize("values", SAMPLES)
def test_above_agrees_with_the_interval(values):
    mean, half = np.mean(values), half_width(values)
    for bound in (mean - 1.01 * half, mean - 0.99 * half):
        assert (above(differences(values), bound).p < 0.05) is bool(bound < mean - half)


@pytest.mark.parametrize("values", SAMPLES)
@pytest.mark.parametrize("margin", [0.05, 0.5, 5.0])
def test_on_par_takes_two_one_sided_tests(values, margin):
    low = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    high = stats.ttest_1samp(values, margin, alternative="less").pvalue
    found = within(differences(values), margin)
    if found.favours == "supported":
        assert found.p == pytest.approx(max(low, high), rel=1e-9)
    else:
        beyond = [
            stats.ttest_1samp(values, m, alternative=a).pvalue for m, a in ((margin, "greater"), (-margin, "less"))
        ]
        assert found.p == pytest.approx(2 * min(beyond), rel=1e-9)


def test_on_par_is_supported_contradicted_or_neither():
    near, far, wide = [0.01, -0.01, 0.02, 0.0], [3.0, 3.1, 2.9, 3.0], [2.0, -2.0, 1.0, -1.5]
    assert (within(differences(near), 0.2).favours, within(differences(near), 0.2).p < 0.05) == ("supported", True)
    assert (within(differences(far), 0.2).favours, within(differences(far), 0.2).p < 0.05) == ("contradicted", True)
    below_margin = within(differences([-value for value in far]), 0.2)
    assert (below_margin.favours, below_margin.p < 0.05) == ("contradicted", True)
    assert within(differences(wide), 0.2).p > 0.05


@pytest.mark.parametrize("test", ["paired", "Welch"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1.0], [0.5]),
        ([0.5, 0.5, 0.5], [0.0, 0.0, 0.0]),
        ([99.3, 99.3], [99.3, 99.3]),
        ([0.1 + 0.2, 0.3, 0.3], [0.1, 0.1, 0.1]),  # what differs by rounding alone is equal
    ],
)
def test_where_nothing_differs_between_seeds_the_noise_is_unknown_and_nothing_is_tested(first, second, test):
    found = difference(score(first), score(second), test=test)
    assert (found.n, found.mean) == (len(first), pytest.approx(first[0] - second[0]))
    assert (found.deviations, found.error, found.half_width) == ((), None, None)
    for tested in (above, below, within):
        with pytest.raises(ValueError, match="two runs of each side or more, and scores that differ between seeds"):
            tested(found, 0.0)


def test_a_side_without_noise_is_compared_with_one_that_has_some():
    found = difference(score([2.0, 2.0, 2.0]), score([1.0, 1.4, 1.2]), test="Welch")
    assert above(found, 0.0).p == pytest.approx(stats.ttest_1samp([1.0, 1.4, 1.2], 2.0).pvalue)


def test_pairs_are_runs_of_one_seed():
    first = Score(values=(1.0, 2.0, 4.0), seeds=(1, 2, 3))
    second = Score(values=(10.0, 1.5, 0.5), seeds=(9, 3, 1))
    found = difference(first, second, test="paired")
    assert (found.n, found.mean) == (2, 1.5)
    third, fourth = Score(values=(2.0, 7.0, 5.0), seeds=(3, 2, 1)), Score(values=(1.0, 9.0, 8.0), seeds=(3, 1, 4))
    assert difference(first, second, third, fourth, test="paired").mean == pytest.approx(1.5 - (1.0 - 4.0) / 2)


@pytest.mark.parametrize(("first", "second"), [(0, 2), (1, 3), (3, 2)])
@pytest.mark.parametrize("bound", [-1.0, 0.0, 0.3])
def test_without_pairs_it_is_welchs_test(first, second, bound):
    one, other = SAMPLES[first], SAMPLES[second]
    found = difference(score(one), score(other), test="Welch")
    expected = stats.ttest_ind(np.array(one) - bound, other, equal_var=False)
    assert above(found, bound).p == pytest.approx(expected.pvalue, rel=1e-9)
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert found.half_width == pytest.approx((interval.high - interval.low) / 2, rel=1e-9)


def test_a_difference_of_differences_has_the_variance_of_all_four():
    a, b, c, d = SAMPLES
    found = difference(*map(score, SAMPLES), test="Welch")
    shares = [np.var(side, ddof=1) / len(side) for side in (a, b, c, d)]
    freedom = sum(shares) ** 2 / sum(v**2 / (len(s) - 1) for v, s in zip(shares, (a, b, c, d), strict=True))
    t = (np.mean(a) - np.mean(b) - np.mean(c) + np.mean(d)) / math.sqrt(sum(shares))
    assert above(found, 0.0).p == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-9)


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03, 0.005], [0.2], [], [0.5, 0.5, 0.001, 0.02, 0.02]])
def test_holm_against_its_definition(p_values):
    """Reject the smallest as long as p ≤ α/(m − rank): the adjusted p is the least α at which one is rejected."""
    adjusted = holm(p_values)
    for alpha in np.linspace(0.001, 0.999, 999):
        rejected, order = set(), sorted(range(len(p_values)), key=lambda i: p_values[i])
        for rank, index in enumerate(order):
            if p_values[index] > alpha / (len(p_values) - rank):
                break
            rejected.add(index)
        assert {i for i, p in enumerate(adjusted) if p <= alpha + 1e-12} == rejected


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_selected_as_by_scipys_benjamini_and_hochberg(seed):
    draw = np.random.default_rng(seed)
    groups = {str(i): draw.uniform(0, 0.2, draw.integers(1, 4)).tolist() for i in range(9)} | {"empty": []}
    adjusted = stats.false_discovery_control([min(values) for values in groups.values() if values], method="bh")
    assert share_selected(groups, 0.05) == pytest.approx(np.mean(adjusted <= 0.05))
    assert share_selected({}, 0.05) == 0
