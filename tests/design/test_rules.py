"""Every rule refuses something and accepts a similar design; refusals have three lines and are reported together."""

from dataclasses import replace

import pytest

from unidelta.design.axes import Init, Insertion, LayerNorm, Rotation, Slot, Source, TextStart
from unidelta.design.budget import solve
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.form import FORMS
from unidelta.design.published import stated_architecture
from unidelta.design.rules import check, check_part, every_rule, rules_of
from unidelta.design.spec import BitFit, Deltas, FullFineTuning, PromptTuning
from unidelta.errors import DesignError

from .rule_cases import CASES


def test_the_cases_cover_every_rule():
    assert {rule.name for rule in every_rule()} == CASES.keys()
    assert len({rule.why for rule in every_rule()}) == len(every_rule())


@pytest.mark.parametrize("name", CASES)
def test_a_rule_refuses_its_case_with_its_text_and_lets_the_neighbour_through(part, bart_large, name):
    rule = next(rule for rule in every_rule() if rule.name == name)
    (refused, changes), (allowed, other) = CASES[name]
    if name == "a form reads what its architecture hands on":
        bart_large = replace(bart_large, family=replace(bart_large.family, sources=(Source.SUBLAYER_INPUT,)))
    wrong, right = replace(part(*refused), **changes), replace(part(*allowed), **other)
    assert rule in rules_of(wrong) and rule.refuses(wrong, bart_large)
    assert rule not in rules_of(right) or not rule.refuses(right, bart_large)
    assert check_part(right, bart_large) == []
    errors = check_part(wrong, bart_large)
    assert (rule.why, rule.advice()) in [(error.why, error.instead) for error in errors]
    for error in errors:
        first, second, third = str(error).splitlines()
        assert first.startswith("You asked:  a ") and first.endswith("on bart-large")
        assert second.startswith("Why not:    ") and third.startswith("Instead:    ")


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), -4.0])
def test_scales_that_are_no_positive_number_are_refused(part, bart_large, scale):
    (error,) = check_part(part("ffn", "bottleneck", composition="scaled", scale=scale), bart_large)
    assert error.why == "the scale s of h + s·Δh must be finite and positive; with s=0 nothing would be learnt"


@pytest.mark.parametrize("changes", [{"dropout": -0.1}, {"dropout": float("nan")}, {"prefix_dropout": 1.5}])
def test_dropouts_that_are_no_probability_are_refused(part, bart_large, changes):
    assert [e.why for e in check_part(part("attn", "prefix", **changes), bart_large)] == [
        "a dropout probability lies in [0, 1)"
    ]


@pytest.mark.parametrize("targets", [(), ("query", "query"), ("up",), ("queries",)])
def test_targets_of_lora_are_some_maps_of_their_slot_each_once(part, bart_large, targets):
    errors = check_part(replace(part("attn", "low_rank"), targets=targets), bart_large)
    assert len(errors) == 1
    assert "targets=[query,value] at attention" in errors[0].instead


@pytest.mark.parametrize(
    ("slot", "form", "limit", "what"),
    [
        ("ffn", "bottleneck", 1024, "the model's width"),
        ("attn", "low_rank", 1024, "the model's width"),
        ("attn", "head_adapter", 1024, "the model's width"),
        ("attn", "prefix", 777, "the longest input"),
    ],
)
def test_a_slot_holds_so_much_and_no_more(part, bart_large, slot, form, limit, what):
    architecture = replace(bart_large, max_positions=777)
    assert FORMS[form].capacity(part(slot, form), architecture) == (limit, what)
    assert check_part(part(slot, form, bottleneck=limit), architecture) == []
    (error,) = check_part(part(slot, form, bottleneck=limit + 1), architecture)
    assert error.why == f"the bottleneck {limit + 1} is larger than {what}, {limit}: more than the slot can hold"
    assert error.instead == f"budget=bottleneck budget.bottleneck={limit} or less, or a smaller share"


@pytest.mark.parametrize(
    ("places", "is_advised"),
    [
        ([("attn", "bottleneck")], True),
        ([("ffn", "low_rank")], True),
        ([("attn", "bottleneck"), ("ffn", "bottleneck")], False),  # both already
        ([("attn", "prefix")], False),  # an FFN has no heads
    ],
)
@pytest.mark.parametrize("is_solved", [False, True])
def test_what_is_too_large_may_use_the_other_slot_if_it_is_free(part, bart_large, places, is_advised, is_solved):
    design = Deltas(parts=tuple(part(*place, bottleneck=5000) for place in places))
    if is_solved:
        with pytest.raises(DesignError) as refusal:
            solve(design, bart_large, percent=99, flexible=[part.slot for part in design.parts])
        errors = [refusal.value]
    else:
        errors = check(design, bart_large)
    assert [", or position=both" in error.instead for error in errors] == [is_advised] * len(errors)


def test_two_deltas_of_one_slot_change_different_things(part, bart_large):
    prefix, query = part("attn", "prefix"), part("attn", "low_rank", targets=("query",))
    assert check(Deltas(parts=(prefix, query, replace(query, targets=("value",)))), bart_large) == []
    assert check(Deltas(parts=(replace(query, layers="first:6"), replace(query, layers="last:6"))), bart_large) == []
    for clash in (replace(query, targets=("value", "query")), replace(query, layers="last:6")):
        assert "one delta at each place" in check(Deltas(parts=(query, clash)), bart_large)[0].why


def test_a_design_has_one_delta_at_each_place_and_at_least_one(part, bart_large):
    one = part("ffn", "bottleneck")
    for parts, asked in (((), "deltas at no position"), ((one, one), "deltas at ffn, ffn")):
        (error,) = check(Deltas(parts=parts), bart_large)
        assert str(error) == (
            f"You asked:  {asked}\n"
            "Why not:    a design has one delta at each place, and at least one\n"
            "Instead:    position=attn, position=ffn or position=both; two at one slot change different things there"
        )
    assert check(Deltas(parts=(part("attn", "prefix"), one)), bart_large) == []


def test_several_faults_of_one_delta_are_all_named(part, bart_large):
    wrong = replace(
        part("attn", "head_adapter", "sequential", "gated", bottleneck=5000),
        slot=Slot.FFN,
        dropout=2.0,
        init=Init.LORA,
        targets=("up",),
        layer_norm=LayerNorm.OUT,
    )
    # position, insertion, gate, layer norm, targets, dropout, initialisation, size
    assert len(check_part(wrong, bart_large)) == 8


@pytest.mark.parametrize("length", [0, -3, 1025])
def test_a_prompt_has_a_length_that_the_model_holds(bart_large, length):
    (error,) = check(PromptTuning(length=length), bart_large)
    assert error.asked == f"prompt tuning with {length} vectors on bart-large"
    assert error.why == "a prompt has between 1 vector and the longest input, 1024"
    for good in (1, 1024):
        assert check(PromptTuning(length=good), bart_large) == []


def test_an_encoder_has_no_prompt_tuning(roberta_base, bert_base):
    for architecture in (roberta_base, bert_base):
        (error,) = check(PromptTuning(length=10), architecture)
        assert "the classifier reads the first position" in error.why
        assert error.instead == "method=prefix, or task=xsum or task=wmt_en_ro"


@pytest.mark.parametrize("baseline", [FullFineTuning(), BitFit(), BitFit(trains_head=True)])
def test_the_baselines_can_always_be_built(bart_large, roberta_base, baseline):
    assert check(baseline, bart_large) == check(baseline, roberta_base) == []


def test_the_rules_agree_with_the_equations_on_every_combination(part, bart_large):
    """A second statement: head forms at attention and parallel, gates for prefixes; see Table 1."""
    for form in FORMS:
        for slot in Slot:
            for insertion in Insertion:
                for composition in COMPOSITIONS:
                    spec = part(slot, form, insertion, composition, family="bart")
                    is_head = form in ("prefix", "head_adapter")
                    exists = not (is_head and (slot is Slot.FFN or insertion is Insertion.SEQUENTIAL))
                    exists = exists and (composition != "gated" or form == "prefix")
                    is_edit = form in ("diagonal", "tied_orthogonal")
                    exists = exists and (not is_edit or insertion is Insertion.SEQUENTIAL)
                    is_of_weights = composition in ("magnitude_direction", "modulated", "rotated")
                    is_rotation = form in ("block_rotation", "reflections")
                    is_matrix = is_rotation if composition == "rotated" else form == "low_rank"
                    exists = exists and is_rotation <= (composition == "rotated")
                    exists = exists and is_of_weights <= (is_matrix and insertion is Insertion.PARALLEL)
                    exists = exists and (composition != "rank_stabilised" or form != "diagonal")
                    assert (check_part(spec, bart_large) == []) is exists, spec


def test_the_residual_stream_is_read_beside_the_ffn_of_a_pre_norm_model(part, bart_large):
    llama = stated_architecture("llama", n_labels=0)
    stream = part("ffn", "bottleneck", source=Source.RESIDUAL_STREAM)
    assert check_part(stream, llama) == check_part(stream, stated_architecture("mbart", n_labels=0)) == []
    sequential = part("ffn", "bottleneck", "sequential", source=Source.RESIDUAL_STREAM)
    elsewhere = part("attn", "bottleneck", source=Source.RESIDUAL_STREAM)
    for spec, architecture in ((stream, bart_large), (sequential, llama), (elsewhere, llama)):
        (error,) = check_part(spec, architecture)
        assert error.why.startswith("it differs from the sub-layer's input only in pre-LN models")


def test_a_form_reads_what_its_architecture_hands_on(part):
    """An architecture of somebody's own may not hand the residual stream on."""
    llama = stated_architecture("llama", n_labels=0)
    own = replace(llama, family=replace(llama.family, sources=(Source.SUBLAYER_INPUT,)))
    (error,) = check_part(part("ffn", "bottleneck", source=Source.RESIDUAL_STREAM), own)
    assert error.why.endswith("which is given only its input, after the layer norm")
    assert check_part(part("ffn", "bottleneck"), own) == []


@pytest.mark.parametrize("form", ["prefix", "head_adapter"])
def test_a_prefix_has_a_place_in_the_text_where_there_are_positions_to_give(part, form):
    before, later = {"rotation": Rotation.BEFORE}, {"text_start": TextStart.LENGTH}
    expected = {"llama": (0, 0), "gpt2": (1, 0), "t5": (1, 1), "bart": (1, 1), "modernbert": (0, 0)}
    for name, found in expected.items():
        architecture = stated_architecture(name, n_labels=3)
        specs = (part("attn", form, bottleneck=10, **how) for how in (before, later))
        assert tuple(len(check_part(spec, architecture)) for spec in specs) == found, name


def test_targets_are_those_that_the_architecture_has(part, bart_large):
    gate = part("ffn", "low_rank", targets=("gate",))
    assert check_part(gate, stated_architecture("llama", n_labels=0)) == []
    assert len(check_part(gate, bart_large)) == 1


def test_without_biases_there_is_no_bitfit():
    (error,) = check(BitFit(), stated_architecture("llama", n_labels=0))
    assert error.why == "its maps and norms have no biases, so nothing would train"


def test_pfeiffers_place_exists_at_the_ffn_only(part, bart_large):
    assert check_part(part("attn", "bottleneck", "sequential", at_layer_output=True), bart_large) != []
