"""mini-mbart: denoising in two languages, `text </s> language` to itself, and glossaries."""

from random import Random

import torch
from torch import Tensor, nn
from transformers import MBartForConditionalGeneration

from unidelta.mini.pretraining.facts import translations
from unidelta.mini.pretraining.noise import infill
from unidelta.mini.pretraining.objective import Objective, Question
from unidelta.mini.pretraining.recipe import Stage
from unidelta.mini.pretraining.texts import Text, both_languages
from unidelta.mini.second_language import LANGUAGES


class BilingualDenoising(Objective):
    """The language that ends the labels begins the decoder's input."""

    family = "mbart"
    words = "bilingual denoising: one language, comparable sentences in both, and glossaries"
    recipe = (Stage(text=both_languages, steps=1600),)
    model_class = MBartForConditionalGeneration

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Masked documents and the originals; a text's own source if it has one."""
        sources, targets = [], []
        for text in texts:
            target = self.tokens(text.target[0])
            if text.source is None:
                source = infill(target, salient=frozenset(), mask=self.ids["<mask>"], rng=rng)
            else:
                source = self.tokens(text.source)
            ending = [self.ids["</s>"], self.ids[text.language]]
            sources.append([*source, *ending])
            targets.append([*target, *ending])
        return self.padded(sources, targets)

    def questions(self) -> dict[str, list[Question]]:
        """Verbs of translations."""
        return translations(self.world_seed)

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """With teacher forcing: the words before the masked one are given."""
        ending = [self.ids["</s>"], self.ids[LANGUAGES[1]]]
        target = [*tokens[:place], answer, *tokens[place + 1 :], *ending]
        source = torch.tensor([[*tokens, *ending]])
        return model(input_ids=source, labels=torch.tensor([target])).logits[0, place]


OBJECTIVE = BilingualDenoising
