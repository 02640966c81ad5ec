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

from unidelta.mini.pretraining.recipe import Recipe
from unidelta.mini.pretraining.texts import Text
from unidelta.mini.reviews import VERDICTS
from unidelta.mini.settings import words_of
from unidelta.mini.world import world

IGNORED = -100
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
        self.salient = frozenset(self.ids[kind] for kind in kinds(seed) if kind in self.ids)

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


def objective_of(family: str, *, seed: int) -> Objective:
    """The objective of a shipped backbone."""
    return import_module(f"unidelta.mini.pretraining.objectives.{family}").OBJECTIVE(seed=seed)


def kinds(seed: int) -> tuple[str, ...]:
    """The words for kinds, and the verdicts of reviews: what a fact is about."""
    this = world(seed)
    classes = (this.people, this.cities, this.things, this.deeds, this.qualities, this.firms)
    verdicts = [word for words in VERDICTS.values() for word in words]
    return (*(kind for words in classes for kind in words.kinds), *this.demonyms, *verdicts)


def padded(rows: list[list[int]], filler: int) -> Tensor:
    """Rows of different lengths as one tensor `(B, longest)`."""
    length = max(map(len, rows))
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])


def sequence_to_sequence(sources: list[list[int]], targets: list[list[int]], *, pad: int) -> dict[str, Tensor]:
    """A batch for an encoder-decoder."""
    input_ids_BS = padded(sources, pad)
    return {
        "input_ids": input_ids_BS,
        "attention_mask": (input_ids_BS != pad).long(),
        "labels": padded(targets, IGNORED),
    }
