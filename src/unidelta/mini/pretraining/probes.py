"""Probes of a backbone's knowledge: the share of facts for which the right word is the most likely one."""

import torch
from torch import nn

from unidelta.mini.pretraining.objective import Objective
from unidelta.mini.pretraining.texts import MASK


@torch.no_grad()
def probe(model: nn.Module, objective: Objective) -> dict[str, float]:
    """The share of right answers for each probe, 0 to 1. The model's train or eval mode is restored."""
    was_training = model.training
    model.eval()
    found = {
        name: sum(_is_right(model, objective, *question) for question in asked) / len(asked)
        for name, asked in objective.questions().items()
    }
    found |= objective.more_probes(model)
    model.train(was_training)
    return found


def _is_right(model: nn.Module, objective: Objective, sentence: str, answer: str) -> bool:
    tokens, expected = objective.tokens(sentence), objective.ids[answer]
    place = tokens.index(objective.ids[MASK])
    return int(objective.logits(model, tokens, place, expected).argmax()) == expected
