"""The check of an architecture finds maps, or features of one, that are called by another's role."""

from dataclasses import replace

import pytest

from unidelta.check.kinds import check_family
from unidelta.check.roles import check_roles
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS


def swapped(site):
    linears = dict(site.linears)
    linears["key"], linears["value"] = linears["value"], linears["key"]
    return replace(site, linears=linears)


def shifted(site):
    """Half of each role's features are the next one's, as where a module lays its features out otherwise."""
    width = site.columns["key"][0] - site.columns["query"][0]
    moved = {role: (begin + width // 2, end + width // 2) for role, (begin, end) in site.columns.items()}
    return replace(site, columns={**moved, "value": site.columns["value"]})


def turned(site):
    roles = list(site.columns)
    return replace(site, columns=dict(zip(roles, [site.columns[role] for role in (*roles[1:], roles[0])], strict=True)))


@pytest.mark.parametrize(
    ("name", "change", "found"),
    [
        ("llama", swapped, {"key": "value", "value": "key"}),
        ("bart", swapped, {"key": "value", "value": "key"}),
        ("gpt2", shifted, {"query": "query, key", "key": "key, value"}),
        ("gpt2", turned, {"query": "key", "key": "value", "value": "query"}),
    ],
)
def test_a_role_that_moves_another_is_told(monkeypatch, name, change, found):
    family = FAMILIES[name]

    def hosts(model):
        return [change(site) if "key" in site.linears else site for site in family.hosts(model)]

    monkeypatch.setitem(FAMILIES._things, name, replace(family, hosts=hosts))
    monkeypatch.setattr(FORMS, "_things", {})
    findings = [each for each in check_family(name) if each.what == "each of query, key and value moves alone"]
    wrong = {each.where.rpartition(", ")[2]: each.wrong for each in findings if each.wrong}
    assert {role: words.rpartition(" move ")[2] for role, words in wrong.items()} == found
    assert all(f"that is called {role} move" in words for role, words in wrong.items())


def test_an_attention_that_deltas_at_heads_would_not_reach_is_told(monkeypatch):
    family = FAMILIES["bert"]

    def hosts(model):
        layers = model.bert.encoder.layer
        sites = family.hosts(model)
        hosting = {key: replace(own, module=layers[0].output) for key, own in sites[0].hosts.items()}
        return [replace(sites[0], hosts=hosting)]

    (finding, *_) = check_roles(replace(family, hosts=hosts))
    assert finding.wrong == "its queries, keys and values do not pass the attention function of transformers"


@pytest.mark.parametrize("name", FAMILIES)
def test_the_projects_own_roles_are_right(name):
    findings = list(check_roles(FAMILIES[name]))
    assert len(findings) >= 6 and [each for each in findings if each.wrong] == []
