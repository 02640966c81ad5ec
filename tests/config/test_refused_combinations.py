"""What cannot be is refused whatever else is chosen: every pair is tried on one composition of its method."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from unidelta.config.schema import RunConfig
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS
from unidelta.design.request import BudgetConfig, CompositionConfig
from unidelta.errors import Problems, UserError

HEADS = [name for name, form in FORMS.items() if form.level == "heads"]


def changed(config: RunConfig, slot: str, **values: Any) -> RunConfig:
    """The configuration with other values in a slot of its method."""
    own = replace(getattr(config.method, slot), **values)
    return replace(config, method=replace(config.method, **{slot: own}))


@pytest.mark.parametrize("budget", ["budget=paper", "budget=percent budget.percent=2"])
def test_a_form_of_heads_at_an_ffn_is_refused_whatever_makes_its_matrices(composed, resolved, budget):
    config = composed("method=parallel_adapter", *budget.split())
    for form, generator in product(HEADS, (None, *GENERATORS)):
        with pytest.raises(Problems) as refusal:
            resolved(changed(config, "ffn", form=form, generator=generator), saves_apart=True)
        whys = [error.why for error in refusal.value.errors]
        assert any("attention heads" in why for why in whys), (form, generator)
        assert not any("more than the slot can hold" in why for why in whys)  # of a slot that holds nothing of it


@pytest.mark.parametrize(("method", "slot"), [("lora", "attn"), ("prefix_lora", "ffn"), ("dora", "attn")])
def test_maps_that_are_not_there_are_refused_whatever_generates(composed, resolved, method, slot):
    config = composed(f"method={method}")
    for targets, generator in product((["query", "query"], ["foo"], ["gate", "up"]), GENERATORS):
        with pytest.raises(Problems) as refusal:
            resolved(changed(config, slot, targets=targets, generator=generator))
        assert any("each once" in error.why for error in refusal.value.errors), (targets, generator)


@pytest.mark.parametrize("method", ["pissa", "lora", "adapter", "oft"])
def test_no_bottleneck_is_refused_whatever_composes(composed, resolved, method):
    config = composed(f"method={method}", "composition=additive")  # which forgets an s of the files
    for name, bottleneck in product(COMPOSITIONS, (0, -7)):
        budget = BudgetConfig(name="bottleneck", bottleneck=bottleneck)
        with pytest.raises(UserError, match="a bottleneck below 1 tunes nothing"):
            resolved(replace(config, composition=CompositionConfig(name=name), budget=budget))
