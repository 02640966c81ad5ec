"""mini-roberta: masked tokens, in `<s> segment </s>` or `<s> segment </s> </s> segment </s>`."""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor, nn
from transformers import RobertaForMaskedLM

from unidelta.mini import claims, events
from unidelta.mini.frequency import evenly_told
from unidelta.mini.miniature import SPECIAL
from unidelta.mini.pretraining.facts import facts
from unidelta.mini.pretraining.noise import IGNORED, mask_tokens
from unidelta.mini.pretraining.objective import Objective, Question
from unidelta.mini.pretraining.recipe import Stage
from unidelta.mini.pretraining.texts import Text, news_and_claims, news_in_segments
from unidelta.mini.reviews import VERDICTS, judgement, verdict_on
from unidelta.mini.splits import DEV
from unidelta.mini.world import world

_N_PROBES = 200


class MaskedTokens(Objective):
    """The words for kinds are masked more often than others."""

    family = "roberta"
    words = "masked tokens, the words for kinds more often than others; begins with mini-bart's encoder"
    recipe = (
        Stage(text=news_in_segments, steps=1000, learning_rate=1.5e-3),
        Stage(text=news_and_claims, steps=5000, learning_rate=1.5e-3),
    )
    model_class = RobertaForMaskedLM
    begins_with_bart = True

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Masked segments, with labels at the masks."""
        mask, special, sources, labels = self.ids["<mask>"], frozenset(range(len(SPECIAL))), [], []
        for text in texts:
            tokens = self.joined(text.target)
            if text.verdict:
                source, label = tokens, self._judged(text, len(tokens))
            else:
                source, label = mask_tokens(
                    tokens, salient=self.salient, special=special, mask=mask, n_tokens=len(self.ids), rng=rng
                )
            sources.append(source)
            labels.append(label)
        return self.padded(sources, labels)

    def joined(self, segments: Sequence[str]) -> list[int]:
        """`<s> segment </s>`, or `<s> segment </s> </s> segment </s>`."""
        begin, end = self.ids["<s>"], self.ids["</s>"]
        first, *others = ([*self.tokens(segment), end] for segment in segments)
        return [begin, *first, *(token for other in others for token in (end, *other))]

    def _judged(self, text: Text, n: int) -> list[int]:
        """The verdict at the first of `n` tokens, and the marks at the words of the last segment."""
        marks = [text.marks.get(word) for word in text.target[-1].split()]
        ids = [IGNORED if mark is None else self.ids[mark] for mark in marks]
        return [self.ids[text.verdict], *[IGNORED] * (n - len(ids) - 2), *ids, IGNORED]

    def questions(self) -> dict[str, list[Question]]:
        """People, cities, things, deeds and qualities."""
        return facts(self.world_seed)

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """At the mask."""
        source = [self.ids["<s>"], *tokens, self.ids["</s>"]]
        return model(input_ids=torch.tensor([source])).logits[0, place + 1]

    def more_probes(self, model: nn.Module) -> dict[str, float]:
        """Which qualities are praise, what a judgement suggests, and whether a claim about an event is true."""
        return {"polarity": self._polarity(model), "judgements": self._judgements(model), "claims": self._claims(model)}

    def _polarity(self, model: nn.Module) -> float:
        """Share of reviews after which a verdict of the right polarity is the likelier one."""
        this, rng, right = world(self.world_seed), Random(f"unidelta/polarity/{self.world_seed}"), 0
        for _ in range(_N_PROBES):
            text, is_good = judgement(this, evenly_told, rng)
            right += self._verdict(model, [f"{text} ."], [VERDICTS[True], VERDICTS[False]]) == int(not is_good)
        return right / _N_PROBES

    def _judgements(self, model: nn.Module) -> float:
        """Share of judgements of which it rightly says whether what somebody did then follows from them."""
        this, rng, right = world(self.world_seed), Random(f"unidelta/judgements/{self.world_seed}"), 0
        for _ in range(_N_PROBES):
            text, is_good = judgement(this, evenly_told, rng)
            relation = rng.randrange(3)
            done = verdict_on(this, text, relation, is_good, rng)
            right += self._relation(model, [f"{text} .", f"{done} ."]) == relation
        return right / _N_PROBES

    def _claims(self, model: nn.Module) -> float:
        """Share of claims about dev events that are rightly judged as true, possible or false."""
        this, rng, right = world(self.world_seed), Random(f"unidelta/claims/{self.world_seed}"), 0
        for _ in range(_N_PROBES):
            event, known = events.draw(this, rng, DEV, pick=evenly_told), events.some_details(rng)
            relation = rng.randrange(3)
            claim = claims.related(this, event, known, relation, rng)
            segments = [events.report(this, event, rng, details=known), f"{claim} ."]
            right += self._relation(model, segments) == relation
        return right / _N_PROBES

    def _relation(self, model: nn.Module, segments: list[str]) -> int:
        """Whether the second follows from the first, may be, or contradicts it."""
        return self._verdict(model, segments, [(word,) for word in claims.VERDICTS])

    def _verdict(self, model: nn.Module, segments: list[str], groups: list[tuple[str, ...]]) -> int:
        """The group of words that is the likeliest verdict."""
        logits = self.verdict_logits(model, segments)
        return max(range(len(groups)), key=lambda i: logits[[self.ids[word] for word in groups[i]]].logsumexp(0).item())

    def verdict_logits(self, model: nn.Module, segments: Sequence[str]) -> Tensor:
        """At the first token."""
        return model(input_ids=torch.tensor([self.joined(segments)])).logits[0, 0]


OBJECTIVE = MaskedTokens
