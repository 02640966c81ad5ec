"""What a refusal of `unidelta.inject` says can be typed in Python, and is then accepted."""

import re

import pytest

import unidelta
from unidelta.errors import UserError

ADVICE = re.compile(r'\w+=(?:"[^"]*"|\[[^]]*\]|[\d.]+)(?:, scale=[\d.]+)?')


@pytest.mark.parametrize(
    ("method", "axes"),
    [
        ("lora", {"budget": "0.001%"}),
        ("lora", {"budget": "12"}),
        ("adapter", {"budget": 7.5}),
        ("adapter", {"budget": 5000}),
        ("prefix", {"budget": 0}),
        ("adapter", {"composition": "gated"}),
        ("adapter", {"composition": "additive", "scale": 2}),
        ("prefix", {"insertion": "sequential"}),
        ("LoRA", {}),
        ("mam", {"position": "FFN"}),
        ("mam", {"layers": "first"}),
        ("loreft", {"tokens": "last:0"}),
        ("lora", {"conventions": "authors"}),
        ("adapter", {"head": "new"}),
    ],
    ids=str,
)
def test_the_way_out_can_be_typed_in_python(stock, method, axes):
    with pytest.raises(UserError) as refusal:
        unidelta.inject(stock("bart"), method, **axes)
    advice = ADVICE.match(getattr(refusal.value, "errors", [refusal.value])[0].instead)
    assert advice, refusal.value
    typed = eval(f"dict({advice[0]})")
    kept = {name: value for name, value in axes.items() if name not in typed}
    unidelta.inject(stock("bart"), **{"method": method, **kept, **typed})
