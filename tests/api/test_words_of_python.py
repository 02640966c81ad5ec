"""What a refusal of `unidelta.inject` says can be typed in Python, and is then accepted."""

import re

import numpy as np
import pytest

import unidelta
from unidelta.errors import UserError

ADVICE = re.compile(r'\w+=(?:"[^"]*"|\[[^]]*\]|[\d.]+)(?:, scale=[\d.]+)?')


@pytest.mark.parametrize(
    ("axes", "asked"),
    [
        ({"budget": np.float32(0.5)}, f'method="lora", budget={np.float32(0.5)!r}'),
        ({"budget": b"3"}, "method=\"lora\", budget=b'3'"),
        ({"budget": {}}, 'method="lora", budget={}'),
        ({"position": None}, "position=None"),
        ({"position": "F F N"}, 'position="F F N"'),
        ({"layers": None}, "layers=None"),
        ({"budget": {"attn": 4}, "position": "ffn"}, 'budget={"attn": 4} with position="ffn"'),
    ],
    ids=str,
)
def test_what_was_asked_is_said_as_it_was_typed(stock, axes, asked):
    with pytest.raises(UserError) as refusal:
        unidelta.inject(stock("bart"), "lora", **axes)
    assert refusal.value.asked == asked


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda model: unidelta.load("", model), 'unidelta.load("DIR", model)'),
        (lambda model: unidelta.load(model, "deltas"), 'unidelta.load("DIR", model)'),
        (lambda model: unidelta.inject(model, "lora").save(" "), 'deltas.save("DIR")'),
        (lambda model: unidelta.runs(3), 'unidelta.runs("DIR")'),
        (
            lambda model: unidelta.export(unidelta.inject(model, "lora").model, "", to="peft"),
            'unidelta.export(model, "DIR", to=…)',
        ),
    ],
)
def test_a_path_that_is_none_is_answered_with_the_call(stock, call, instead):
    with pytest.raises(UserError) as refusal:
        call(stock("bart"))
    assert refusal.value.instead == instead and len(refusal.value.asked) < 80


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
