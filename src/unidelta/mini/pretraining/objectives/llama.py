"""mini-llama: the next token of `<s> segment </s> … segment </s>`, in both languages; a verdict is the last segment.

Some documents of one segment come after themselves with BART's noise, as in UL2's denoising (Tay et al. 2023, §3.1): a
decoder learns from these to copy from a text before a `</s>`, as its tasks need.
"""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from unidelta.mini.pretraining.facts import facts, translations
from unidelta.mini.pretraining.noise import IGNORED, infill
from unidelta.mini.pretraining.objective import Question
from unidelta.mini.pretraining.objectives.roberta import MaskedTokens
from unidelta.mini.pretraining.recipe import Stage
from unidelta.mini.pretraining.texts import Text, both_languages, news, news_and_claims, news_in_segments

_P_SECOND_LANGUAGE, _P_CLAIMS = 0.4, 0.35
_P_RESTORED = 0.4  # of documents of one segment
# Share of the words that are not kinds whose prediction counts. Most of them nobody can know (whose news is next?), and
# with all of them facts are learnt several times more slowly; of translations it is these words that are to be learnt.
_P_ASKED, _P_ASKED_IN_TRANSLATION = 0.15, 1.0


def facts_and_translations(seed: int, rng: Random) -> Text:
    """RoBERTa's short texts and mBART's: facts are learnt from these first, as by mini-roberta."""
    return (both_languages if rng.random() < _P_SECOND_LANGUAGE else news_in_segments)(seed, rng)


def all_texts(seed: int, rng: Random) -> Text:
    """The texts of the other backbones: mBART's, RoBERTa's later one and BART's."""
    kind = rng.random()
    if kind < _P_SECOND_LANGUAGE:
        return both_languages(seed, rng)
    return (news_and_claims if kind < _P_SECOND_LANGUAGE + _P_CLAIMS else news)(seed, rng)


class NextToken(MaskedTokens):
    """Not every word counts in the loss; a probe asks for the word after those before it."""

    family = "llama"
    words = (
        "the next token; of first-language text the words for kinds, and some of the others;"
        " documents after their noise"
    )
    recipe = (Stage(text=facts_and_translations, steps=3000), Stage(text=all_texts, steps=3000))
    model_class = LlamaForCausalLM
    begins_with_bart = False

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Documents with labels at the words whose prediction counts."""
        begin, end, sources, labels = self.ids["<s>"], self.ids["</s>"], [], []
        for text in texts:
            tokens = self.joined((*text.target, text.verdict) if text.verdict else text.target)
            asked = self.salient | ({self.ids[text.verdict]} if text.verdict else set())
            p = _P_ASKED_IN_TRANSLATION if text.source is not None else _P_ASKED
            if text.source is None and len(text.target) == 1 and not text.verdict and rng.random() < _P_RESTORED:
                noisy = infill(tokens[1:-1], salient=self.salient, mask=self.ids["<mask>"], rng=rng)
                sources.append([begin, *noisy, end, *tokens[1:]])
                labels.append([IGNORED] * (len(noisy) + 2) + tokens[1:])
                continue
            sources.append(tokens)
            labels.append([token if token in asked or rng.random() < p else IGNORED for token in tokens])
        return self.padded(sources, labels)

    def questions(self) -> dict[str, list[Question]]:
        """People, cities, things, deeds and qualities, and verbs of translations."""
        return {**facts(self.world_seed), **translations(self.world_seed)}

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """After the words before the masked one."""
        return model(input_ids=torch.tensor([[self.ids["<s>"], *tokens[:place]]]), use_cache=False).logits[0, -1]

    def joined(self, segments: Sequence[str]) -> list[int]:
        """`<s> segment </s> … segment </s>`."""
        return [self.ids["<s>"], *(token for each in segments for token in (*self.tokens(each), self.ids["</s>"]))]

    def verdict_logits(self, model: nn.Module, segments: Sequence[str]) -> Tensor:
        """After the last segment."""
        return model(input_ids=torch.tensor([self.joined(segments)]), use_cache=False).logits[0, -1]


OBJECTIVE = NextToken
