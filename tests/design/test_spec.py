"""Designs as plain data: what is written to JSON is read back as the same design, for every combination."""

import json
from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest

from unidelta.design.axes import (
    Conventions,
    Init,
    Insertion,
    LayerNorm,
    Reparameterisation,
    Rotation,
    Slot,
    TextStart,
)
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.design_json import design_from_dict, design_to_dict
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.design.spec import BitFit, Deltas, FullFineTuning, PromptTuning
from unidelta.errors import DesignError

OFTEN = ("bart", "mbart", "roberta", "llama")  # an architecture decides which details the others begin with


def round_trip(design):
    return design_from_dict(json.loads(json.dumps(design_to_dict(design))))


@pytest.mark.parametrize(
    "family", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.slow) for name in FAMILIES]
)
def test_every_combination_survives_json(part, family):
    for slot, form, insertion, composition, conventions in product(Slot, FORMS, Insertion, COMPOSITIONS, Conventions):
        for at_layer_output in (False, True):
            spec = part(
                slot,
                form,
                insertion,
                composition,
                family=family,
                conventions=conventions,
                at_layer_output=at_layer_output,
            )
            design = Deltas(parts=(spec,), trains_head=at_layer_output)
            back = round_trip(design)
            assert back == design
            assert isinstance(back.parts[0].slot, Slot) and isinstance(back.parts[0].targets, tuple)


def test_details_and_several_parts_survive_json(part):
    first = part("attn", "prefix", composition="gated", reparameterisation=Reparameterisation.MLP, prefix_dropout=0.25)
    second = part(
        "ffn", "bottleneck", composition="scaled", scale=0.1, init=Init.LORA, layer_norm=LayerNorm.OUT, dropout=0.3
    )
    design = Deltas(parts=(first, second))
    assert round_trip(design) == design
    assert round_trip(replace(design, parts=(second, first))) != design


@pytest.mark.parametrize(
    ("design", "kind"),
    [
        (FullFineTuning(), "full_fine_tuning"),
        (BitFit(), "bitfit"),
        (BitFit(trains_head=True), "bitfit"),
        (PromptTuning(length=300), "prompt_tuning"),
    ],
)
def test_baselines_survive_json_and_name_their_kind(design, kind):
    assert round_trip(design) == design
    assert next(iter(design_to_dict(design).items())) == ("kind", kind)


def test_what_is_written_is_plain_data(part):
    def leaves(value):
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]

    data = design_to_dict(Deltas(parts=(part("attn", "low_rank", composition="scaled"),)))
    assert {type(leaf) for leaf in leaves(data)} <= {str, int, float, bool, type(None)}


def test_an_unknown_kind_value_or_field_is_refused(part):
    data = design_to_dict(Deltas(parts=(part("ffn", "bottleneck"),)))
    with pytest.raises(
        ValueError, match="`loera` is not a kind of design; known kinds are deltas, full_fine_tuning, bitfit"
    ):
        design_from_dict({**data, "kind": "loera"})
    with pytest.raises(ValueError, match="`None` is not a kind of design"):
        design_from_dict({key: value for key, value in data.items() if key != "kind"})
    with pytest.raises(TypeError, match="parts"):
        design_from_dict({"kind": "deltas"})
    with pytest.raises(DesignError, match="there is no functional form `botleneck`\nInstead:    one of bottleneck"):
        design_from_dict({**data, "parts": [{**data["parts"][0], "form": "botleneck"}]})
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        design_from_dict({**data, "parts": [{**data["parts"][0], "colour": "red"}]})
    without = {key: value for key, value in data["parts"][0].items() if key != "bottleneck"}
    with pytest.raises(TypeError, match="bottleneck"):
        design_from_dict({**data, "parts": [without]})
    assert data["kind"] == "deltas", "reading leaves what is read alone"


def test_choices_that_came_later_are_written_where_they_are_not_the_usual_ones(part):
    """The name of a run is a hash of what is written: what was always done is written as it always was."""
    usual = part("attn", "prefix", composition="gated")
    chosen = replace(usual, rotation=Rotation.BEFORE, text_start=TextStart.LENGTH, tokens="last:4")
    written = [design_to_dict(Deltas(parts=(spec,)))["parts"][0] for spec in (usual, chosen)]
    assert written[1].keys() - written[0].keys() == {"rotation", "text_start", "tokens"}
    assert (written[1]["rotation"], written[1]["text_start"]) == ("before", "length")
    assert all(round_trip(Deltas(parts=(spec,))).parts == (spec,) for spec in (usual, chosen))


def test_a_forms_own_options_survive_json(part):
    design = Deltas(parts=(part("ffn", "bottleneck", options=(("groups", 4), ("is_shared", True))),))
    assert design_to_dict(design)["parts"][0]["options"] == {"groups": 4, "is_shared": True}
    assert round_trip(design) == design


def test_designs_are_values(part):
    spec = part("ffn", "bottleneck")
    assert hash(Deltas(parts=(spec,))) == hash(Deltas(parts=(part("ffn", "bottleneck"),)))
    with pytest.raises(FrozenInstanceError):
        spec.bottleneck = 3
