"""The four kinds of things that can be checked: a form, a generator, a composition, an architecture."""

from collections.abc import Iterable, Iterator
from itertools import product

from unidelta.check.designs import check_designs
from unidelta.check.finding import Finding, equal
from unidelta.check.roles import check_roles
from unidelta.check.tiny import tiny
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.family import FAMILIES, Family
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS
from unidelta.injection.architecture import architecture_of


def check_form(name: str) -> Iterator[Finding]:
    """Try a form at every place and insertion, in every composition on the first architecture of each kind.

    Elsewhere, as a composition of states is given Δh and nothing of the architecture, in one of them and in each of
    weights.
    """
    FORMS.find(name, asked=f"check form {name}")
    checked_kinds: set[str] = set()
    for family in FAMILIES.values():
        if family.kind in checked_kinds:
            yield from _in_one_of_states(family, name)
        else:
            yield from _designs(families=[family], forms=[name])
            checked_kinds.add(family.kind)


def check_generator(name: str) -> Iterator[Finding]:
    """Try a generator with every form, on every architecture: in one composition of states, and in each of weights.

    A composition of states is given Δh, whatever made the matrices.
    """
    GENERATORS.find(name, asked=f"check generator {name}")
    for family, form in product(FAMILIES.values(), FORMS):
        yield from _in_one_of_states(family, form, generator=name)


def check_composition(name: str) -> Iterator[Finding]:
    """Try a composition with every form, on every architecture."""
    COMPOSITIONS.find(name, asked=f"check composition {name}")
    yield from _designs(compositions=[name])


def check_family(name: str) -> Iterator[Finding]:
    """Compare an architecture's file with transformers' own model, then try every form in it."""
    family = FAMILIES.find(name, asked=f"check family {name}")
    model = tiny(family)
    architecture = architecture_of(model.config, name="tiny")
    sites = family.hosts(model)
    shapes = [(site.kind, site.layer, list(site.linears)) for site in architecture.sites]
    wrong = "" if shapes == [(s.kind, s.layer, list(s.linears)) for s in sites] else "sites and hosts differ"
    yield Finding(what="sites are those of the model, in one order", where=name, wrong=wrong)
    expected = sum(parameter.numel() for parameter in model.parameters())
    yield equal("parameters", name, architecture.n_parameters, expected)
    biases = sum(p.numel() for key, p in model.named_parameters() if key.endswith("bias"))
    yield equal("biases", name, architecture.n_biases, biases)
    yield from check_roles(family)
    yield from _designs(families=[family])


def _designs(
    *,
    families: Iterable[Family] | None = None,
    forms: Iterable[str] = FORMS,
    compositions: Iterable[str] = COMPOSITIONS,
) -> Iterator[Finding]:
    for family in FAMILIES.values() if families is None else families:
        for form in forms:
            for composition in compositions:
                yield from check_designs(family, form, composition)


def _in_one_of_states(family: Family, form: str, *, generator: str | None = None) -> Iterator[Finding]:
    """In the first composition of states that the rules allow, which stands for all, and in each of weights."""
    has_states = False
    for composition, described in COMPOSITIONS.items():
        if described.on_weights or not has_states:
            for finding in check_designs(family, form, composition, generator=generator):
                has_states |= not described.on_weights
                yield finding
