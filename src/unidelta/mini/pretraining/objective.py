"""A pretraining objective: turns text into batches, and probes what the model has learnt.

Each is a file in `objectives/`, named like the backbone's architecture; `objective_of` finds it.
"""

from abc import ABC, abstractmethod
from importlib import import_module
from random import Random
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from unidelta.mini.pretraining.noise import IGNORED
from unidelta.mini.pretraining.recipe import Recipe
from unidelta.mini.pretraining.texts import MASK, Text
from unidelta.mini.reviews import VERDICTS
from unidelta.mini.settings import words_of
from unidelta.mini.world import world

Question = tuple[str, str]
"""A sentence with one `<mask>`, and the word that belongs there."""


class Objective(ABC):
    """The pretraining objective of one backbone.

    Attributes:
        family: its architecture.
        words: the objective in words, for the model card.
        recipe: text and schedule.
        model_class: transformers' class with the head that pretraining needs.
        begins_with_bart: whether pretraining begins with the shipped mini-bart's encoder instead of at random.

    Args:
        seed: of the world that the text is about.
    """

    family: ClassVar[str]
    words: ClassVar[str]
    recipe: ClassVar[Recipe]
    model_class: ClassVar[type[PreTrainedModel]]
    begins_with_bart: ClassVar[bool] = False

    def __init__(self, *, seed: int) -> None:
        self.world_seed = seed
        self.ids = words_of(self.family, seed=seed)
        self.salient = frozenset(self.ids[kind] for kind in _kinds(seed) if kind in self.ids)

    def tokens(self, text: str) -> list[int]:
        """Token ids of words separated by spaces."""
        return [self.ids[word] for word in text.split()]

    @abstractmethod
    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """A batch of documents, noise and labels included."""

    @abstractmethod
    def questions(self) -> dict[str, list[Question]]:
        """The probes: by the name of the fact, its questions."""

    @abstractmethod
    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """Scores of all words `(V,)` at the masked position of a sentence."""

    def more_probes(self, model: nn.Module) -> dict[str, float]:
        """Shares of right answers, 0 to 1, to questions of another kind."""
        return {}

    @torch.no_grad()
    def probe(self, model: nn.Module) -> dict[str, float]:
        """What the model knows: for each probe the share of questions whose right word is the likeliest, 0 to 1.

        The model's train or eval mode is restored.
        """
        was_training = model.training
        model.eval()
        found = {
            name: sum(self._is_right(model, *question) for question in asked) / len(asked)
            for name, asked in self.questions().items()
        }
        found |= self.more_probes(model)
        model.train(was_training)
        return found

    def _is_right(self, model: nn.Module, sentence: str, answer: str) -> bool:
        tokens, expected = self.tokens(sentence), self.ids[answer]
        return int(self.logits(model, tokens, tokens.index(self.ids[MASK]), expected).argmax()) == expected

    def padded(self, sources: list[list[int]], labels: list[list[int]]) -> dict[str, Tensor]:
        """Rows of different lengths as a batch for the model."""
        input_ids_BS = _padded(sources, self.ids["<pad>"])
        return {
            "input_ids": input_ids_BS,
            "attention_mask": (input_ids_BS != self.ids["<pad>"]).long(),
            "labels": _padded(labels, IGNORED),
        }


def objective_of(family: str, *, seed: int) -> Objective:
    """The objective of a shipped backbone."""
    return import_module(f"unidelta.mini.pretraining.objectives.{family}").OBJECTIVE(seed=seed)


def _kinds(seed: int) -> tuple[str, ...]:
    """The words for kinds, and the verdicts of reviews: what a fact is about."""
    this = world(seed)
    classes = (this.people, this.cities, this.things, this.deeds, this.qualities, this.firms)
    verdicts = [word for words in VERDICTS.values() for word in words]
    return (*(kind for words in classes for kind in words.kinds), *this.demonyms, *verdicts)


def _padded(rows: list[list[int]], filler: int) -> Tensor:
    """Rows of different lengths as one tensor `(B, longest)`."""
    length = max(map(len, rows))
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])
