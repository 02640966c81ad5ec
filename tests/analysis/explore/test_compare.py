"""Two sides compared: paired where seeds pair, else Welch, by formulas of scipy's own."""

import numpy as np
import pytest
from scipy import stats

import unidelta
from unidelta.analysis.explore.select import select
from unidelta.analysis.needed import power, seeds_needed, seeds_needed_within
from unidelta.errors import ConfigError

from .test_board import counted

FIRST, SECOND = [50.0, 53.0, 55.5, 51.0], [48.0, 52.5, 52.0, 50.5]


def by_side(made, name: str) -> tuple[str, ...]:
    return tuple(note.removeprefix(f"{name}: ") for note in made.attrs["notes"] if note.startswith(f"{name}: "))


def test_seeds_that_pair_are_paired(table, run):
    first = table(*(run(seed, score) for seed, score in enumerate(FIRST)), run(9, 99.0))
    second = table(*(run(seed, score, method="hero") for seed, score in enumerate(SECOND)))
    made = unidelta.compare(first, second)
    (row,) = made.to_dict("records")
    expected = stats.ttest_rel(FIRST, SECOND)
    low, high = expected.confidence_interval()
    assert (row["test"], row["n"]) == ("paired", 4)
    assert (row["difference"], row["p"]) == (
        pytest.approx(expected.statistic * stats.sem(np.subtract(FIRST, SECOND))),
        pytest.approx(expected.pvalue),
    )
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert by_side(made, "first") == ("4 of 5 runs shown.", "1 run not shown, because their seed is on one side only.")
    assert counted(by_side(made, "second")) == (4, 4)


def test_where_few_seeds_pair_all_are_compared_and_what_is_shown_is_what_is_compared(table, run):
    first = table(*(run(seed, score) for seed, score in enumerate(FIRST)))
    second = table(*(run(2 + seed, score, method="hero") for seed, score in enumerate(SECOND)))
    (row,) = unidelta.compare(first, second).to_dict("records")
    assert (row["test"], row["n_first"], row["n_second"]) == ("Welch", 4, 4)
    assert row["p"] == pytest.approx(stats.ttest_ind(FIRST, SECOND, equal_var=False).pvalue)
    whole = table(*(run(seed, score) for seed, score in enumerate([*FIRST, 99.0, 98.0])))
    (row,) = unidelta.compare(whole, table(*second.assign(seed=range(4)).to_dict("records"))).to_dict("records")
    assert (row["test"], row["n_first"], row["first"]) == ("paired", 4, np.mean(FIRST))
    assert row["difference"] == pytest.approx(row["first"] - row["second"])


def test_the_same_runs_on_both_sides_are_not_compared(table, run):
    rows = [run(1, 50.0), run(2, 51.0)]
    with pytest.raises(ConfigError, match="the other side has the same runs"):
        unidelta.compare(table(*rows), table(*rows, run(3, 52.0)))
    again = [{**row, "test": row["test"] + 0.5} for row in rows]  # the same runs, with other results
    assert unidelta.compare(table(*rows), table(*again))["difference"].tolist() == [-0.5]


def test_a_side_may_be_one_seed_and_rows_may_not(table, run):
    frame = table(*(run(seed, score, seconds=seed) for seed, score in enumerate(FIRST, 1)))
    assert select(frame, "method=sandwich,seed=3")["test"].tolist() == [55.5]
    assert select(frame, "seconds=2")["seed"].tolist() == [2]
    with pytest.raises(ConfigError, match="no run has seed=7"):
        select(frame, "seed=7")
    for name in ("seed", "seconds", "run_id"):
        with pytest.raises(ConfigError, match=f"they differ in {name}"):
            unidelta.compare(frame, frame, by=name)


def test_seeds_that_do_not_pair_are_compared_by_welch(table, run):
    first = table(*(run(seed, score) for seed, score in enumerate(FIRST)))
    second = table(*(run(10 + seed, score) for seed, score in enumerate(SECOND[:3])))
    (row,) = unidelta.compare(first, second).to_dict("records")
    expected = stats.ttest_ind(FIRST, SECOND[:3], equal_var=False)
    low, high = expected.confidence_interval()
    assert (row["test"], row["n"], row["p"]) == ("Welch", 3, pytest.approx(expected.pvalue))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))


def test_single_runs_have_a_difference_and_no_interval(table, run):
    (row,) = unidelta.compare(table(run(1, 50.0)), table(run(2, 47.0))).to_dict("records")
    assert (row["difference"], row["test"], row["n"], row["decided"]) == (3.0, "", 1, "")
    assert np.isnan(row["p"]) and np.isnan(row["low"])


def test_rows_are_what_both_sides_agree_in_and_the_rest_is_counted(table, run):
    first = table(*(run(s, 50.0 + s, method=m) for s in (1, 2) for m in ("a", "b")), run(1, 9.0, task="drinks"))
    second = table(*(run(s, 60.0 + 2 * s, {"training.max_steps": 200}, method=m) for s in (1, 2) for m in ("a", "c")))
    made = unidelta.compare(first, second, by=("method",))
    assert made["method"].tolist() == ["a"] and made["difference"].tolist() == [-11.5]
    assert counted(by_side(made, "first")) == (5, 5) and counted(by_side(made, "second")) == (4, 4)
    with pytest.raises(ConfigError, match="the other side has none like them"):
        unidelta.compare(first, second, by=("training.max_steps",))


def test_scales_are_never_compared_with_each_other(table, run):
    with pytest.raises(ConfigError, match="none like them"):
        unidelta.compare(table(run(1, 50.0)), table(run(1, 50.0, scale="paper")))


@pytest.mark.parametrize("effect", [0.3, 0.7, 1.24, 3.0])
def test_n_needed_is_the_least_with_a_power_of_four_in_five(effect: float):
    def power_of(n: int) -> float:
        critical = stats.t.ppf(0.975, n - 1)
        return stats.nct.sf(critical, n - 1, effect * n**0.5) + stats.nct.cdf(-critical, n - 1, effect * n**0.5)

    n = seeds_needed(2 * effect, (2.0,))
    assert n is not None and power_of(n) >= 0.8 > (power_of(n - 1) if n > 2 else 0)
    assert power(effect * n**0.5, n - 1, 0.05) == pytest.approx(power_of(n), abs=1e-9)


def test_n_needed_by_simulation_for_two_sides():
    n = seeds_needed(1.0, (1.0, 2.0))
    assert n is not None
    rng = np.random.default_rng(0)
    found = [
        np.mean(
            stats.ttest_ind(rng.normal(1, 1, (m, 4000)), rng.normal(0, 2, (m, 4000)), equal_var=False).pvalue < 0.05
        )
        for m in (n - 3, n, n + 3)
    ]
    assert found[0] < 0.8 < found[2] and found[1] == pytest.approx(0.8, abs=0.03)


def test_nothing_to_find_needs_no_number():
    assert seeds_needed_within(0.0, 0.5, (1.0, 1.0)) == 70  # Φ(0.5/se − t) − Φ(−0.5/se + t), both tests at 5 %
    assert seeds_needed_within(0.4, 0.5, (1.0, 1.0)) == seeds_needed(0.1, (1.0, 1.0), level=0.1)  # one test decides
    assert seeds_needed(0.02856, (1.0,)) == 9625  # between the last power of two and the most that is looked for
    assert seeds_needed(0.0, (1.0,)) is None and seeds_needed(1e-6, (1.0,)) is None


def test_sides_are_chosen_by_columns_and_settings(table, run):
    rows = [run(s, 50.0, {"training.learning_rate": r}, method=m) for s in (1, 2) for r in (1e-3, 2e-3) for m in "ab"]
    frame = table(*rows)
    assert len(select(frame, "method=a")) == 4
    assert len(select(frame, "method=a,training.learning_rate=1e-3")) == 2
    for words, told in (("method", "not name=value"), ("method=z", "no run has method=z"), ("colour=red", "colour")):
        with pytest.raises(ConfigError, match=told):
            select(frame, words)
