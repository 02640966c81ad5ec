"""What is no table of runs, or no name, is refused in words that can be typed."""

import pytest

import unidelta
from unidelta.errors import ConfigError

WRONG = ["results", None, 3, {"method": "mam"}, ["mam"]]


@pytest.mark.parametrize("given", WRONG, ids=repr)
def test_what_is_no_table_is_told_where_tables_come_from(table, run, given):
    good = table(run(1, 50.0))
    calls = (
        lambda: unidelta.board(given),
        lambda: unidelta.curve(given),
        lambda: unidelta.compare(given, good),
        lambda: unidelta.compare(good, given),
    )
    for call in calls:
        with pytest.raises(ConfigError, match="it is not a table of runs") as refusal:
            call()
        assert 'unidelta.runs("results")' in refusal.value.instead


@pytest.mark.parametrize("lacking", ["percent", "settings", "test", "run_id"])
def test_columns_that_were_dropped_are_named(table, run, lacking):
    part = table(run(1, 50.0)).drop(columns=lacking)
    for call in (unidelta.board, unidelta.curve, lambda runs: unidelta.compare(runs, runs)):
        with pytest.raises(ConfigError, match=f"it lacks {lacking}"):
            call(part)


def test_one_name_needs_no_brackets(table, run):
    runs = table(run(1, 50.0), run(2, 51.0), run(1, 60.0, {"training.learning_rate": 0.01}))
    others = runs.assign(method="hero", run_id=["a", "b", "c"])
    assert unidelta.compare(runs, others, by="position").equals(unidelta.compare(runs, others, by=["position"]))
    for wrong in (5, None, ["seed", 5]):
        with pytest.raises(ConfigError, match="not a name of a column or a setting"):
            unidelta.compare(runs, runs, by=wrong)
    for wrong in (None, 3):
        with pytest.raises(ConfigError, match=r'x="percent"'):
            unidelta.curve(runs, x=wrong)
