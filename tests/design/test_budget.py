"""A budget gives the nearest bottleneck, the inverse of counting, or a refusal whose advice works."""

import re
from dataclasses import replace

import pytest

from unidelta.design.axes import Slot
from unidelta.design.budget import same_share, solve
from unidelta.design.config_facts import architecture_from_config
from unidelta.design.count import count
from unidelta.design.rules import check
from unidelta.design.spec import PromptTuning
from unidelta.errors import DesignError

ATTN, FFN, BOTH = (Slot.ATTN,), (Slot.FFN,), (Slot.ATTN, Slot.FFN)
FLEXIBLE = {
    "prefix": ATTN,
    "multihead": ATTN,
    "adapter_attn": ATTN,
    "adapter": FFN,
    "pfeiffer": FFN,
    "parallel": FFN,
    "lora_attn": ATTN,
    "lora_ffn": FFN,
    "houlsby": BOTH,
    "mam": FFN,
    "prefix_lora": FFN,
}


def sizes(design) -> tuple[int, ...]:
    return tuple(part.bottleneck for part in design.parts)


@pytest.mark.parametrize("name", FLEXIBLE)
@pytest.mark.parametrize("backbone", ["bart_large", "mbart_large", "roberta_base", "bert_base"])
def test_solving_for_the_share_of_a_design_gives_it_back(request, design, name, backbone):
    architecture = request.getfixturevalue(backbone)
    asked = design(name, architecture)
    percent = count(asked, architecture).percent_matrices
    elsewhere = replace(
        asked, parts=tuple(replace(p, bottleneck=9) if p.slot in FLEXIBLE[name] else p for p in asked.parts)
    )
    assert solve(elsewhere, architecture, percent=percent, flexible=FLEXIBLE[name]) == asked


@pytest.mark.parametrize(
    ("name", "percent", "bottlenecks"),
    [
        # 3.6 % of 406,291,456 is 14,626,492; a unit of a prefix costs 36·2·1024 = 73,728: 198.4
        ("prefix", 3.6, (198,)),
        # a unit of an FFN adapter costs 24·2·1024 = 49,152: 6.2 % is 25,190,070 and 512.5
        ("parallel", 6.2, (512,)),
        # MAM: 30·73,728 are fixed, so 6.7 % = 27,221,528 leaves 25,009,688: 508.8
        ("mam", 6.7, (30, 509)),
        # Houlsby: one bottleneck for both slots, a unit costs 122,880: 3 % is 12,188,744 and 99.2
        ("houlsby", 3.0, (99, 99)),
    ],
)
def test_a_budget_is_a_division_by_the_cost_of_one_unit(design, bart_large, name, percent, bottlenecks):
    assert sizes(solve(design(name, bart_large), bart_large, percent=percent, flexible=FLEXIBLE[name])) == bottlenecks


@pytest.mark.parametrize("percent", [0.37, 1.0, 2.9, 5.5, 11.9])
def test_no_other_bottleneck_is_nearer(design, bart_large, percent):
    solved = solve(design("parallel", bart_large), bart_large, percent=percent, flexible=FFN)
    (r,) = sizes(solved)

    def distance(bottleneck: int) -> float:
        part = replace(solved.parts[0], bottleneck=bottleneck)
        return abs(count(replace(solved, parts=(part,)), bart_large).percent_matrices - percent)

    assert distance(r) <= min(distance(r - 1), distance(r + 1))


def test_a_prompt_has_a_budget_too(bart_large):
    # 0.05 % of 406,291,456 is 203,146, and a vector has 1024 elements: 198.4
    assert solve(PromptTuning(length=1), bart_large, percent=0.05) == PromptTuning(length=198)


@pytest.mark.parametrize("percent", [-1.0, 0.0, 100.0, 250.0, float("nan"), float("inf"), -float("inf")])
def test_what_is_no_percentage_is_refused(design, bart_large, percent):
    with pytest.raises(DesignError) as refusal:
        solve(design("adapter", bart_large), bart_large, percent=percent, flexible=FFN)
    assert str(refusal.value) == (
        f"You asked:  budget=percent budget.percent={percent:g} on bart-large\n"
        "Why not:    a budget is a percentage of the backbone's parameters, above 0 and below 100\n"
        "Instead:    budget.percent=3.6, the paper's middle budget; method=full tunes everything"
    )


@pytest.mark.parametrize(
    ("name", "percent", "why"),
    [
        # a bottleneck of 1024 at 24 FFNs is 50,331,648 parameters, 12.39 %; at 36 attentions 18.58 %
        ("adapter", 99, "it would take a bottleneck of 8183; the slot can hold at most 1024, which is 12.39 %"),
        ("prefix", 99, "it would take a bottleneck of 5456; the slot can hold at most 1024, which is 18.58 %"),
        ("adapter", 1e-5, "this budget is too small: the smallest bottleneck, 1, costs 0.0121 % with"),
        # MAM's fixed prefix alone is 0.544 %
        ("mam", 0.3, "this budget is too small: the smallest bottleneck, 1, costs 0.5565 % with"),
    ],
)
def test_too_much_and_too_little_are_refused_with_a_budget_that_works(design, bart_large, name, percent, why):
    flexible = FLEXIBLE[name]
    with pytest.raises(DesignError) as refusal:
        solve(design(name, bart_large), bart_large, percent=percent, flexible=flexible)
    assert why in refusal.value.why
    advised = float(re.findall(r"budget\.percent=([0-9.e-]+)", refusal.value.instead)[0])
    solved = solve(design(name, bart_large), bart_large, percent=advised, flexible=flexible)
    assert check(solved, bart_large) == []


def test_a_flexible_slot_must_exist(design, bart_large):
    with pytest.raises(ValueError, match="No part of the design is at ffn"):
        solve(design("prefix", bart_large), bart_large, percent=3.6, flexible=FFN)


def test_a_form_without_a_bottleneck_has_no_budget_and_keeps_its_size_on_another_backbone(design, bart_large):
    ia3 = design("ia3", bart_large)
    with pytest.raises(DesignError, match="no bottleneck that a budget could choose"):
        solve(ia3, bart_large, percent=0.1, flexible=BOTH)
    assert same_share(ia3, bart_large, small(bart_large)) == ia3


def test_beside_a_form_without_a_bottleneck_the_other_slot_takes_the_budget(design, bart_large, part):
    # IA³ at attention has 36·2·1024 = 73,728 elements; 1 % is 4,062,915: (4,062,915 − 73,728) / 49,152 = 81.2
    parts = (design("ia3", bart_large).parts[0], *design("parallel", bart_large).parts)
    solved = solve(replace(design("ia3", bart_large), parts=parts), bart_large, percent=1, flexible=BOTH)
    assert sizes(solved) == (0, 81)


def small(architecture, *, max_positions=1024):
    sides = {f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in SIDES.items()}
    config = {**architecture.config, "vocab_size": 500, "d_model": 64, **sides}
    return architecture_from_config({**config, "max_position_embeddings": max_positions}, name="small", n_labels=0)


SIDES = {"layers": 2, "ffn_dim": 128, "attention_heads": 4}


@pytest.mark.parametrize("name", FLEXIBLE)
def test_the_same_share_on_a_smaller_backbone_is_as_near_as_a_whole_bottleneck_can_be(design, bart_large, name):
    tiny = small(bart_large, max_positions=64)
    published = design(name, bart_large)
    mapped = same_share(published, bart_large, tiny)
    assert check(mapped, tiny) == []
    for big, little in zip(published.parts, mapped.parts, strict=True):
        one = replace(mapped, parts=(little,))
        unit = count(replace(mapped, parts=(replace(little, bottleneck=1),)), tiny).percent_matrices
        gap = count(one, tiny).percent_matrices - count(replace(published, parts=(big,)), bart_large).percent_matrices
        assert abs(gap) <= unit / 2 + 1e-9 or little.bottleneck in (1, 64)
        assert replace(little, bottleneck=big.bottleneck) == big


def test_the_same_share_of_the_same_backbone_is_the_same_design(design, bart_large):
    for name in FLEXIBLE:
        assert same_share(design(name, bart_large), bart_large, replace(bart_large, name="copy")) == design(
            name, bart_large
        )
    assert same_share(PromptTuning(length=200), bart_large, bart_large) == PromptTuning(length=200)


def test_a_mapped_bottleneck_is_at_least_one_and_at_most_what_the_slot_holds(design, bart_large):
    tiny = small(bart_large, max_positions=5)
    assert sizes(same_share(design("prefix", bart_large, bottleneck=1), bart_large, tiny)) == (1,)
    assert sizes(same_share(design("prefix", bart_large, bottleneck=1024), bart_large, tiny)) == (5,)
    assert sizes(same_share(design("adapter", bart_large, bottleneck=1024), bart_large, tiny))[0] <= 64
    assert same_share(PromptTuning(length=1024), bart_large, tiny).length == 5
    assert same_share(PromptTuning(length=1), bart_large, tiny).length == 1


@pytest.mark.parametrize("bottleneck", [0, -5])
def test_a_bottleneck_that_is_none_stays_refused_after_mapping(design, bart_large, bottleneck):
    tiny = small(bart_large)
    mapped = same_share(design("adapter", bart_large, bottleneck=bottleneck), bart_large, tiny)
    assert check(mapped, tiny) != []
