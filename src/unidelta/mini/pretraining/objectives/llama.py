"""mini-llama: the next token of `<s> segment </s> … segment </s>`, in both languages; a verdict is the last segment."""

from random import Random

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from unidelta.mini.pretraining.facts import facts, translations
from unidelta.mini.pretraining.objective import IGNORED, Question, padded
from unidelta.mini.pretraining.objectives.roberta import MaskedTokens
from unidelta.mini.pretraining.recipe import Recipe
from unidelta.mini.pretraining.texts import Text, both_languages, news, news_and_claims

_P_NEWS, _P_CLAIMS = 0.4, 0.25
# Share of the words that are no kinds whose prediction counts. Most of them nobody can know (whose news is next?), and
# with all of them facts are learnt several times more slowly; of translations it is these words that are to be learnt.
_P_ASKED, _P_ASKED_IN_TRANSLATION = 0.15, 1.0


def all_texts(seed: int, rng: Random) -> Text:
    """The texts of the other backbones: BART's, RoBERTa's later one and mBART's."""
    kind = rng.random()
    if kind < _P_NEWS:
        return news(seed, rng)
    return (news_and_claims if kind < _P_NEWS + _P_CLAIMS else both_languages)(seed, rng)


class NextToken(MaskedTokens):
    """Not every word counts in the loss; a probe asks for the word after those before it."""

    family = "llama"
    words = "the next token; of first-language text the words for kinds, and some of the others"
    recipe = Recipe(text=all_texts, steps=2500)
    model_class = LlamaForCausalLM
    begins_with_bart = False

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Documents with labels at the words whose prediction counts."""
        begin, end, sources, labels = self.ids["<s>"], self.ids["</s>"], [], []
        for text in texts:
            tokens = [begin]
            for segment in (*text.target, text.verdict) if text.verdict else text.target:
                tokens += [*self.tokens(segment), end]
            asked = self.salient | ({self.ids[text.verdict]} if text.verdict else set())
            p = _P_ASKED_IN_TRANSLATION if text.source is not None else _P_ASKED
            sources.append(tokens)
            labels.append([token if token in asked or rng.random() < p else IGNORED for token in tokens])
        input_ids_BS = padded(sources, self.ids["<pad>"])
        mask_BS = (input_ids_BS != self.ids["<pad>"]).long()
        return {"input_ids": input_ids_BS, "attention_mask": mask_BS, "labels": padded(labels, IGNORED)}

    def questions(self) -> dict[str, list[Question]]:
        """People, cities, things and deeds, and verbs of translations."""
        return {**facts(self.world_seed), **translations(self.world_seed)}

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """After the words before the masked one."""
        return model(input_ids=torch.tensor([[self.ids["<s>"], *tokens[:place]]]), use_cache=False).logits[0, -1]

    def verdict_logits(self, model: nn.Module, segments: list[str]) -> Tensor:
        """After the last segment."""
        tokens = [self.ids["<s>"]]
        for segment in segments:
            tokens += [*self.tokens(segment), self.ids["</s>"]]
        return model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1]


OBJECTIVE = NextToken
