"""The own options of forms and generators, as typed."""

import pytest

from unidelta.errors import UserError
from unidelta.run.prepare import prepare

from ..composed import composed


@pytest.mark.parametrize(
    ("method", "key", "value", "why", "instead"),
    [
        ("vera", "method.attn.options.d_start", "half", "it must be of type float", "0.1"),
        ("vera", "method.attn.options.d_start", "true", "it must be of type float", "0.1"),
        ("vera", "method.attn.options.projection_seed", "first", "it must be of type int", "0"),
        ("vera", "method.attn.options.projection_seed", "null", "it must be of type int", "0"),
        ("compacter", "method.ffn.options.terms", "[2,4]", "it must be of type int", "4"),
        ("compacter", "method.ffn.options.terms", "2.5", "it must be of type int", "4"),
    ],
)
def test_an_option_of_another_type_is_refused(method, key, value, why, instead):
    with pytest.raises(UserError) as refusal:
        prepare(composed([f"method={method}", f"{key}={value}"]))
    assert refusal.value.why == why and refusal.value.instead == f"{key}={instead}"
    assert refusal.value.asked.startswith(f"{key}=")


def test_a_whole_number_is_a_number():
    assert prepare(composed(["method=vera", "method.attn.options.d_start=1"]))
