"""`python -m unidelta.check`: it finds an author's mistakes, and every part of the project passes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import unidelta
from unidelta.check import __main__ as command
from unidelta.check.__main__ import main
from unidelta.check.finding import Finding
from unidelta.check.kinds import check_composition, check_family, check_form, check_generator
from unidelta.deltas.compose import Compose
from unidelta.deltas.form_module import FormModule
from unidelta.design.axes import Init, Insertion, Representation
from unidelta.design.composition import COMPOSITIONS, Composition
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS, Details, Form, Rule
from unidelta.design.generator import GENERATORS
from unidelta.design.site import LinearShape
from unidelta.errors import DesignError, ExitStatus

from ..own_registries import keep


class Gain(FormModule):
    """Δh = g ⊙ z, with what a test breaks."""

    def __init__(self, width: int, fault: str, generator: torch.Generator) -> None:
        super().__init__()
        if fault in ("drawn", "kept"):  # of the signs of z
            signs = torch.randint(2, (width,), generator=generator) * 2 - 1
            self.register_buffer("signs", signs, persistent=fault == "kept")
        self.gain = nn.Parameter(torch.ones(width) if fault == "start" else torch.zeros(width))
        if fault == "count":
            self.bias = nn.Parameter(torch.zeros(width))
        self.fault, self.is_linear = fault, fault == "merge"

    def forward(self, z: Tensor) -> Tensor:
        if self.fault == "run":
            raise RuntimeError("shapes of no use")
        if self.fault == "shape":
            return (z * self.gain)[..., 1:]
        if self.fault == "precision":  # always that of float32 or more
            return z * self.gain.to(torch.promote_types(z.dtype, torch.float32))
        if self.fault in ("drawn", "kept"):
            return z * self.gain * self.signs
        if self.fault == "count":
            return z * self.gain + self.bias
        if self.fault == "gradient":
            return z * self.gain.detach() + 0 * z.sum(dim=-1, keepdim=True) + self.gain.sum() * 0
        if self.fault == "causality":  # looks at the whole text, the future too
            return self.gain * z.mean(dim=1, keepdim=True).expand_as(z) if z.dim() == 3 else self.gain * z
        return z * self.gain

    def matrix(self) -> Tensor:
        return 2 * self.gain


def form(fault: str) -> Form:
    class Faulty(Form):
        name, title, short, formula = f"gain_{fault}", "a gain", "gain", "g ⊙ {z}"
        level = "linear" if fault == "merge" else "sublayer"
        size = "r" if fault in ("size", "falling") else None
        reads = frozenset({"targets"}) if fault == "merge" else frozenset()
        inits, zero_starts = (Init.BERT,), (Init.BERT,)
        rules = (
            Rule(
                name="what it changes is what it reads",
                refuses=lambda part, _: part.insertion is Insertion.PARALLEL,
                why="widths",
                instead="insertion=sequential",
            ),
        )
        usual_targets = FORMS["low_rank"].usual_targets if fault == "merge" else {}

        def released(self, outline):
            return Details(representation=Representation.LINEAR if fault == "merge" else Representation.SUBLAYER)

        def paper(self, outline):
            return self.released(outline)

        def n_matrices(self, spec, place):
            return place.d_changed + {"size": 1, "falling": -1}.get(fault, 0) * (spec.bottleneck - 3)

        def n_kept(self, spec, place):
            return place.d_changed if fault == "kept" else 0

        def build(self, spec, place, materials):
            return Gain(place.d_changed, fault, materials.generator)

    return Faulty()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test registers is gone afterwards; one architecture and one composition are enough to find a fault."""
    keep(monkeypatch, FORMS, COMPOSITIONS, FAMILIES)
    for name in set(FAMILIES) - {"bart"}:
        del FAMILIES._things[name]
    for name in set(COMPOSITIONS) - {"additive"}:
        del COMPOSITIONS._things[name]
    yield


def wrong(findings: Iterator[Finding]) -> set[str]:
    return {finding.what for finding in findings if finding.wrong}


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("none", set()),
        ("count", {"trained parameters are as many as the file says"}),
        ("size", {"a larger bottleneck has as many parameters as the file says, and no fewer"}),
        ("falling", {"a larger bottleneck has as many parameters as the file says, and no fewer"}),
        ("start", {"init=bert leaves the model bit for bit as it was"}),
        ("causality", {"cached generation is teacher forcing"}),
        ("precision", {"it computes in bfloat16"}),
        ("merge", {"merging is exact"}),
        ("drawn", {"saved deltas compute the same in a fresh model"}),
        ("kept", set()),
    ],
)
def test_a_fault_of_a_form_is_found_by_name(registered, fault, found):
    unidelta.register(form(fault))
    assert wrong(check_form(f"gain_{fault}")) == found


def test_what_a_module_raises_is_told_with_its_line_and_a_wrong_shape_with_both(registered):
    for fault in ("run", "shape"):
        unidelta.register(form(fault))
    failed = [[each for each in check_form(f"gain_{fault}") if each.wrong] for fault in ("run", "shape")]
    assert {each.what for found in failed for each in found} == {"it runs"}
    raised, shape = (found[0].wrong for found in failed)
    line = Gain.forward.__code__.co_firstlineno + 2
    assert raised == f"{__file__}:{line}: RuntimeError: shapes of no use"
    assert f"Gain in {__file__}: its shape is (3, 7, 11), and that of h, which it changes, (3, 7, 12)" in shape


def test_a_check_tells_where_it_is_and_of_many_failures_the_first(monkeypatch, capsys):
    def findings(name):
        for i in range(5):
            assert len(capsys.readouterr().out.splitlines()) == (0 if i < 2 else 3)
            yield Finding(what="it adds up", where=f"place {i}", wrong=f"off by {i}")
            yield Finding(what="it ends", where=f"place {i}")

    monkeypatch.setitem(command._CHECKS, "form", findings)
    assert main(["form", "mine"]) is ExitStatus.FAILED
    assert capsys.readouterr().out.splitlines() == [
        *("   1 of    2  place 3", "   1 of    2  place 4"),
        "   0 of    5  it adds up; 2 failures more than are listed",
        "   5 of    5  it ends",
        "5 passed, 5 failed",
    ]


def test_a_parameter_that_no_gradient_reaches_is_found(registered):
    unidelta.register(form("gradient"))
    assert "init=bert leaves the model bit for bit as it was" not in wrong(check_form("gain_gradient"))


def test_a_composition_that_changes_h_without_saying_so_is_found(registered, monkeypatch):
    class Half(Compose):
        def forward(self, h: Tensor, delta: Tensor, z: Tensor) -> Tensor:
            return 0.5 * h + delta

    class Halving(Composition):
        name, formula = "halving", "h ← h/2 + Δh"

        def build(self, spec, place, materials):
            return Half()

    unidelta.register(Halving)
    monkeypatch.setattr(FORMS, "_things", {"low_rank": FORMS["low_rank"]})
    assert wrong(check_composition("halving")) >= {"init=lora leaves the model bit for bit as it was"}


def test_a_generator_that_counts_the_matrices_that_it_makes_is_found_in_one_composition_of_states(monkeypatch):
    keep(monkeypatch, FORMS, COMPOSITIONS, FAMILIES, GENERATORS)
    monkeypatch.setattr(FORMS, "_things", {"low_rank": FORMS["low_rank"]})
    monkeypatch.setattr(FAMILIES, "_things", {"gpt2": FAMILIES["gpt2"]})

    class Counting(type(GENERATORS["tiled"])):
        name = "counting"

        def n_matrices(self, spec, place):
            return spec.bottleneck * (place.d_read + place.d_changed)

    unidelta.register(Counting)
    findings = list(check_generator("counting"))
    assert {each.what for each in findings if each.wrong} >= {"trained parameters are as many as the file says"}
    places = {each.where.partition(", ")[2] for each in findings if "r=3" in each.where}
    of_weights = {place for place in places if "modulated" in place or "magnitude and direction" in place}
    assert len(of_weights) == 4  # in parallel: at attention and FFN, in two compositions
    assert len(places - of_weights) == 4 and not any("scaled" in place for place in places - of_weights)


def test_sizes_that_are_not_the_models_are_found(registered, monkeypatch):
    bart = FAMILIES["bart"]

    def sites(config):
        first, *others = bart.sites(config)
        return [replace(first, linears={**first.linears, "key": LinearShape(d_in=12, d_out=12, bias=False)}), *others]

    FAMILIES._things["bart"] = replace(bart, sites=sites)
    monkeypatch.setattr(FORMS, "_things", {"low_rank": FORMS["low_rank"]})
    assert wrong(check_family("bart")) == {"parameters", "biases"}


@pytest.mark.parametrize(
    ("kind", "thing"), [("functional form", FORMS), ("composition", COMPOSITIONS), ("architecture", FAMILIES)]
)
def test_a_name_that_is_taken_is_refused(registered, kind, thing):
    mine = next(iter(thing.values()))
    with pytest.raises(DesignError, match="there is one already") as refusal:
        unidelta.register(mine)
    assert refusal.value.asked == f"register the {kind} `{mine.name}`"


def test_a_name_that_cannot_be_typed_is_refused(registered):
    mine = form("none")
    type(mine).name = "Gain Of Mine"
    with pytest.raises(DesignError, match="lower-case"):
        unidelta.register(mine)


@pytest.mark.parametrize("words", [["form", "bottelneck"], ["composition", "sum"], ["family", "gpt5"]])
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(words, capsys):
    assert main(words) is ExitStatus.REFUSED
    assert "Instead:    one of " in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [*(["form", name] for name in FORMS), *(["generator", name] for name in GENERATORS)]
    + [["composition", name] for name in COMPOSITIONS]
    + [["family", name] for name in FAMILIES],
    ids=" ".join,
)
def test_every_part_of_the_project_passes_its_check(words, capsys):
    assert main(words) is ExitStatus.DONE
    assert capsys.readouterr().out.splitlines()[-1].endswith(", 0 failed")
