"""A delta whose file counts other parameters than its module has is refused, and the model stays as it was."""

import pytest
import torch
from torch import nn

from unidelta.check.tiny import tiny
from unidelta.design.composition import COMPOSITIONS
from unidelta.design.family import FAMILIES
from unidelta.design.form import FORMS
from unidelta.design.generator import GENERATORS
from unidelta.design.spec import Deltas
from unidelta.errors import DesignError
from unidelta.injection.architecture import architecture_of_model
from unidelta.injection.inject import inject


@pytest.mark.parametrize(
    ("registry", "name", "method", "off"),
    [
        (FORMS, "low_rank", "n_matrices", 7),
        (FORMS, "low_rank", "n_vectors", -2),
        (COMPOSITIONS, "learned_scale", "n_parameters", 1),
        (GENERATORS, "kronecker", "n_matrices", 5),
        (GENERATORS, "kronecker", "n_shared", 3),
    ],
)
def test_a_count_of_a_file_that_is_not_the_modules_is_refused(monkeypatch, part, registry, name, method, off):
    inits = GENERATORS["kronecker"].inits
    generator = {"generator": "kronecker", "init": inits[0]} if registry is GENERATORS else {}
    spec = part("bart", "attn", "low_rank", "parallel", "learned_scale", bottleneck=4, targets=("value",), **generator)
    sound = inject(tiny(FAMILIES["bart"]), Deltas(parts=(spec,)), generator=torch.Generator())
    n_places = 1 if method == "n_shared" else len(FORMS["low_rank"].places(spec, architecture_of_model(sound.model)))
    kind = type(registry[name])
    right = getattr(kind, method)
    monkeypatch.setattr(kind, method, lambda self, *given: right(self, *given) + off)
    model = tiny(FAMILIES["bart"])
    with pytest.raises(DesignError) as refusal:
        inject(model, Deltas(parts=(spec,)), generator=torch.Generator())
    n = sound.n_trained
    said = f"{n:,} parameters train at bottleneck 4, and the files count {n + off * n_places:,}"
    assert refusal.value.why == said
    assert "the form `low_rank`" in refusal.value.asked and "`learned_scale`" in refusal.value.asked
    assert not [module for module in model.modules() if isinstance(module, nn.ModuleDict)]
    assert all(parameter.requires_grad for parameter in model.parameters())
