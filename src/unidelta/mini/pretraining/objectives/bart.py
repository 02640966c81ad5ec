"""mini-bart: denoising, `<s> text </s>` to itself. S source length, T target length, V vocabulary."""

from random import Random

import torch
from torch import Tensor, nn
from transformers import BartForConditionalGeneration

from unidelta.mini.pretraining.facts import facts
from unidelta.mini.pretraining.noise import infill
from unidelta.mini.pretraining.objective import Objective, Question
from unidelta.mini.pretraining.recipe import Stage
from unidelta.mini.pretraining.texts import Text, news


class Denoising(Objective):
    """Labels as the tokenizer makes them for a target."""

    family = "bart"
    words = "denoising: spans and the words for kinds replaced by a mask, the whole document restored"
    recipe = (Stage(text=news, steps=1800),)
    model_class = BartForConditionalGeneration

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Masked documents and the originals."""
        begin, end, sources, targets = self.ids["<s>"], self.ids["</s>"], [], []
        for text in texts:
            target = self.tokens(text.target[0])
            hidden = infill(target, salient=self.salient, mask=self.ids["<mask>"], rng=rng)
            sources.append([begin, *hidden, end])
            targets.append([begin, *target, end])
        return self.padded(sources, targets)

    def questions(self) -> dict[str, list[Question]]:
        """People, cities, things, deeds and qualities."""
        return facts(self.world_seed)

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """With teacher forcing: the words before the masked one are given."""
        begin, end = self.ids["<s>"], self.ids["</s>"]
        target = [begin, *tokens[:place], answer, *tokens[place + 1 :], end]
        source = torch.tensor([[begin, *tokens, end]])
        return model(input_ids=source, labels=torch.tensor([target])).logits[0, place + 1]


OBJECTIVE = Denoising
