"""Persistent buffers of deltas are stored with them, wherever they are: what was drawn once is drawn for good."""

import pytest
import torch
from torch import Tensor, nn

import unidelta
from unidelta.check.tiny import batch, tiny
from unidelta.deltas.compose import Compose
from unidelta.deltas.form_module import FormModule
from unidelta.design.axes import Init, Insertion, Representation, Slot
from unidelta.design.composition import COMPOSITIONS, Composition
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS, Details, Form
from unidelta.design.spec import Deltas, DeltaSpec


class Sparse(FormModule):
    """Δh = z in some places, times a trained number each; a factor is held by a module of its own."""

    def __init__(self, width: int, n: int, generator: torch.Generator) -> None:
        super().__init__()
        self.inner = nn.Module()
        self.inner.register_buffer("where", torch.randperm(width, generator=generator)[:n])
        self.inner.register_buffer("factor", torch.rand(n, generator=generator))
        self.values = nn.Parameter(torch.ones(n))

    def forward(self, z: Tensor) -> Tensor:
        mask = torch.zeros(z.shape[-1], dtype=z.dtype).index_put((self.inner.where,), self.values * self.inner.factor)
        return z * mask


class SparseForm(Form):
    name, title, short, formula = "sparse", "a sparse gain", "sparse", "m ⊙ {z}"
    level, inits = "sublayer", (Init.BERT,)

    def released(self, outline):
        return Details(representation=Representation.SUBLAYER)

    def paper(self, outline):
        return self.released(outline)

    def n_matrices(self, spec, place):
        return spec.bottleneck

    def n_kept(self, spec, place):
        return 2 * spec.bottleneck

    def build(self, spec, place, materials):
        return Sparse(place.d_changed, spec.bottleneck, materials.generator)


class Flipping(Compose):
    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.register_buffer("is_flipped", torch.rand(width, generator=generator) < 0.5)

    def forward(self, h: Tensor, delta: Tensor, z: Tensor) -> Tensor:
        return h + torch.where(self.is_flipped, -delta, delta)


class Flipped(Composition):
    name, formula = "flipped", "h ← h ± Δh"

    def n_kept(self, spec, place):
        return place.d_changed

    def build(self, spec, place, materials):
        return Flipping(place.d_changed, materials.generator)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    for registry, thing in ((FORMS, SparseForm()), (COMPOSITIONS, Flipped())):
        assert len(registry)
        monkeypatch.setattr(registry, "_things", {**registry._things, thing.name: thing})


@pytest.mark.parametrize(
    ("form", "composition", "per_place"),
    [
        ("sparse", "additive", 3 * 5),
        ("sparse", "flipped", 3 * 5 + 12),
        ("bottleneck", "flipped", 2 * 5 * 12 + 5 + 2 * 12),
    ],
)
def test_what_was_drawn_is_saved_and_counted(tmp_path, form, composition, per_place):
    part = DeltaSpec(
        slot=Slot.FFN,
        form=form,
        insertion=Insertion.SEQUENTIAL,
        composition=composition,
        bottleneck=5,
        representation=Representation.SUBLAYER,
        init=Init.BERT,
        dropout=0.0 if form == "bottleneck" else None,
    )
    family = FAMILIES["llama"]
    model = tiny(family)
    deltas = unidelta.inject(model, Deltas(parts=(part,)), seed=7)
    assert deltas.n_stored == deltas.counts().stored == model.config.num_hidden_layers * per_place
    expected = model(**batch(family)).logits
    deltas.save(tmp_path)
    loaded = unidelta.load(tmp_path, tiny(family))
    assert loaded(**batch(family)).logits.equal(expected)
