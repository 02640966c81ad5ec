"""The two conventions, restated: what the authors' code computes, and what the paper's text says.

The table is written out by hand from the code's listing (modeling_bart.py, modeling_mbart.py,
modeling_roberta.py at 3222ce2c) and from Eq. 4–10; BERT follows RoBERTa.
"""

import pytest

from unidelta.design.axes import Conventions, Insertion, LayerNorm, Representation, Slot, Source
from unidelta.design.form import FORMS

FAMILIES = ("bart", "mbart", "roberta", "bert")
POST_NORM = ("bart", "roberta", "bert")


@pytest.fixture
def found(details):
    def asked(slot, form, insertion, family, conventions, at_layer_output=False):
        return details(slot, form, insertion, family=family, conventions=conventions, at_layer_output=at_layer_output)

    return asked


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("conventions", Conventions)
@pytest.mark.parametrize("form", ["prefix", "head_adapter"])
def test_head_forms_change_heads(found, family, conventions, form):
    d = found("attn", form, "parallel", family, conventions)
    assert d.representation is Representation.HEADS
    assert d.source is Source.SUBLAYER_INPUT
    assert not d.bias


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prefix_is_the_same_in_both(found, family):
    released, paper = (found("attn", "prefix", "parallel", family, c) for c in Conventions)
    assert released == paper
    assert (released.layer_norm, released.scaled_query) == (LayerNorm.NONE, True)


@pytest.mark.parametrize(
    ("family", "layer_norm", "scaled_query"),
    [("bart", "in", False), ("mbart", "none", True), ("roberta", "none", True), ("bert", "none", True)],
)
def test_the_multi_head_adapter_is_three_different_things_in_the_code(found, family, layer_norm, scaled_query):
    released = found("attn", "head_adapter", "parallel", family, "released")
    paper = found("attn", "head_adapter", "parallel", family, "paper")
    assert (released.layer_norm, released.scaled_query) == (layer_norm, scaled_query)
    assert (paper.layer_norm, paper.scaled_query) == (LayerNorm.NONE, False)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("insertion", Insertion)
@pytest.mark.parametrize("conventions", Conventions)
def test_lora_is_the_same_in_both(found, family, slot, insertion, conventions):
    d = found(slot, "low_rank", insertion, family, conventions)
    assert (d.representation, d.source) == (Representation.LINEAR, Source.SUBLAYER_INPUT)
    assert (d.layer_norm, d.bias) == (LayerNorm.NONE, False)


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_adapters_of_the_code_have_a_layer_norm_and_biases(found, family):
    for insertion, released_at in (("sequential", Representation.SUBLAYER), ("parallel", Representation.CONCAT)):
        released = found("attn", "bottleneck", insertion, family, "released")
        assert (released.representation, released.source) == (released_at, Source.SUBLAYER_INPUT)
        assert (released.layer_norm, released.bias) == (LayerNorm.IN, True)
        paper = found("attn", "bottleneck", insertion, family, "paper")
        assert (paper.representation, paper.source) == (Representation.SUBLAYER, Source.SUBLAYER_INPUT)
        assert (paper.layer_norm, paper.bias) == (LayerNorm.NONE, False)


@pytest.mark.parametrize("family", FAMILIES)
def test_ffn_adapters_differ_in_their_biases_and_in_what_mbart_reads(found, family):
    for insertion in Insertion:
        released = found("ffn", "bottleneck", insertion, family, "released")
        paper = found("ffn", "bottleneck", insertion, family, "paper")
        assert released.representation is paper.representation is Representation.SUBLAYER
        assert released.layer_norm is paper.layer_norm is LayerNorm.NONE
        assert (released.bias, paper.bias) == (True, False)
        reads_stream = family == "mbart" and insertion is Insertion.PARALLEL
        assert released.source is (Source.RESIDUAL_STREAM if reads_stream else Source.SUBLAYER_INPUT)
        assert paper.source is Source.SUBLAYER_INPUT


@pytest.mark.parametrize("family", FAMILIES)
def test_pfeiffer_is_normalised_twice_in_the_code_of_post_norm_models(found, family):
    released = found("ffn", "bottleneck", "sequential", family, "released", at_layer_output=True)
    paper = found("ffn", "bottleneck", "sequential", family, "paper", at_layer_output=True)
    assert released.representation is (Representation.RESIDUAL if family in POST_NORM else Representation.LAYER)
    assert paper.representation is Representation.LAYER


def test_bert_follows_roberta_everywhere(found):
    for slot in Slot:
        for form in FORMS:
            for insertion in Insertion:
                for conventions in Conventions:
                    for at_layer_output in (False, True):
                        a, b = (
                            found(slot, form, insertion, family, conventions, at_layer_output)
                            for family in ("roberta", "bert")
                        )
                        assert a == b
