"""`layers=`: runs from either end of a stack against slices of a list, and one spelling of equal selections."""

from dataclasses import replace

import pytest

from unidelta.design.layers import canonical, indices, largest


@pytest.mark.parametrize("depth", [1, 2, 5, 24])
def test_a_run_is_a_slice_of_the_stack(depth):
    stack = list(range(depth))
    assert (indices("all", depth), largest("all")) == ({*stack}, 1)
    for n in range(1, depth + 3):
        assert indices(f"first:{n}", depth) == {*stack[:n]}
        assert indices(f"last:{n}", depth) == {*stack[-n:]}
        assert largest(f"first:{n}") == largest(f"last:{n}") == n


@pytest.mark.parametrize(("layers", "chosen", "needed"), [("0", {0}, 1), ("3,10", {3}, 11), ("4,6,23", {4, 6}, 24)])
def test_indices_beyond_a_stack_select_nothing(layers, chosen, needed):
    assert (indices(layers, 7), largest(layers)) == (chosen, needed)


SPELLED = {"all": "all", "first:12": "first:12", "last:3": "last:3", "[11,2]": "2,11", " 5 , 1": "1,5", "7": "7"}
UNREADABLE = ("", "first", "first:0", "first:-1", "last:03", "middle:2", "1,01", "4,4", "1,-1", "1.5")


@pytest.mark.parametrize(("typed", "spelled"), [*SPELLED.items(), (7, "7"), ([10, 9, 0], "0,9,10"), ([4, 4], None)])
def test_equal_selections_have_one_spelling(typed, spelled):
    assert canonical(typed) == spelled


@pytest.mark.parametrize("typed", UNREADABLE)
def test_what_selects_nothing_or_a_layer_twice_cannot_be_read(typed):
    assert canonical(typed) is None


@pytest.mark.parametrize(("run", "listed"), [("first:5", "0,1,2,3,4"), ("last:2", "10,11"), ("last:12", "all")])
@pytest.mark.parametrize(("slot", "form"), [("attn", "prefix"), ("ffn", "bottleneck")])
def test_a_run_has_the_sites_of_its_indices(part, bart_large, slot, form, run, listed):
    one = part(slot, form)
    found, expected = (bart_large.sites_of(replace(one, layers=layers)) for layers in (run, listed))
    assert list(found) == list(expected) != []
