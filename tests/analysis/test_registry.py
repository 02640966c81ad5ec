"""A user's table that fails is told in three lines, with the line of the file."""

import pytest

from unidelta.analysis import registry
from unidelta.errors import ConfigError


def raises(runs, published):
    return {}["absent"]


def returns(runs, published):
    return ["a", "b"]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (raises, f"{__file__}:{raises.__code__.co_firstlineno + 1}: KeyError: 'absent'"),
        (returns, "its function `returns` returns list, and not a Table or Figure"),
    ],
)
def test_a_function_of_a_table_that_fails_is_told(monkeypatch, make, why):
    monkeypatch.setattr(registry, "_ARTEFACTS", {})
    registry.register("mine")(make)
    with pytest.raises(ConfigError) as refusal:
        registry.made_by("mine", make, None, None)
    assert (refusal.value.asked, refusal.value.why) == (f"report mine, of {__file__}", why)
