"""The best step in memory: trained parameters only, unchanged."""

import torch
from torch import nn

from unidelta.tasks import Selection
from unidelta.training.best import BestStep

HIGHER = Selection(metric="accuracy", higher_is_better=True)


def test_only_trained_parameters_are_kept_and_given_back() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    best = BestStep(HIGHER)
    with torch.no_grad():
        model.weight.fill_(1.0)
        model.bias.fill_(1.0)
        best.offer(model, step=1, metrics={"accuracy": 50.0})
        model.weight.fill_(2.0)
        model.bias.fill_(2.0)
        best.offer(model, step=2, metrics={"accuracy": 40.0})
        best.restore(model)
    assert (best.step, best.metrics) == (1, {"accuracy": 50.0})
    assert model.weight.eq(1.0).all()
    # A frozen parameter is not kept: a copy of the whole backbone would double its memory.
    assert model.bias.eq(2.0).all()


def test_before_the_first_evaluation_nothing_is_given_back() -> None:
    model = nn.Linear(1, 1)
    before = model.weight.detach().clone()
    best = BestStep(HIGHER)
    best.restore(model)
    assert best.step is None
    assert torch.equal(model.weight, before)
