"""mini-roberta: masked tokens, in `<s> segment </s>` or `<s> segment </s> </s> segment </s>`."""

from random import Random

import torch
from torch import Tensor, nn
from transformers import RobertaForMaskedLM

from unidelta.mini import claims, events
from unidelta.mini.miniature import SPECIAL
from unidelta.mini.pretraining.facts import facts
from unidelta.mini.pretraining.noise import hide, mask_tokens
from unidelta.mini.pretraining.objective import IGNORED, Objective, Question, padded
from unidelta.mini.pretraining.recipe import Recipe
from unidelta.mini.pretraining.texts import MASK, Text, news_and_claims, news_in_segments
from unidelta.mini.reviews import VERDICTS, judgement
from unidelta.mini.splits import DEV
from unidelta.mini.world import world

_N_PROBES = 200


class MaskedTokens(Objective):
    """The words for kinds are masked more often than others."""

    family = "roberta"
    words = "masked tokens, the words for kinds more often than others"
    recipe = Recipe(
        text=news_in_segments,
        steps=6000,
        learning_rate=1e-3,
        then=Recipe(text=news_and_claims, steps=5000, learning_rate=5e-4),
    )
    model_class = RobertaForMaskedLM

    def batch(self, texts: list[Text], rng: Random) -> dict[str, Tensor]:
        """Masked segments, with labels at the masks."""
        begin, end, mask, sources, labels = self.ids["<s>"], self.ids["</s>"], self.ids["<mask>"], [], []
        special = frozenset(range(len(SPECIAL)))
        for text in texts:
            tokens = [begin, *self.tokens(text.target[0]), end]
            for segment in text.target[1:]:
                tokens += [end, *self.tokens(segment), end]
            if text.asked:
                source, label = hide(tokens, {self.ids[word] for word in text.asked}, mask=mask)
            else:
                source, label = mask_tokens(
                    tokens, salient=self.salient, special=special, mask=mask, n_tokens=len(self.ids), rng=rng
                )
            sources.append(source)
            labels.append(label)
        pad = self.ids["<pad>"]
        input_ids_BS = padded(sources, pad)
        return {
            "input_ids": input_ids_BS,
            "attention_mask": (input_ids_BS != pad).long(),
            "labels": padded(labels, IGNORED),
        }

    def questions(self) -> dict[str, list[Question]]:
        """People, cities, things and deeds."""
        return facts(self.world_seed)

    def logits(self, model: nn.Module, tokens: list[int], place: int, answer: int) -> Tensor:
        """At the mask."""
        source = [self.ids["<s>"], *tokens, self.ids["</s>"]]
        return model(input_ids=torch.tensor([source])).logits[0, place + 1]

    def more_probes(self, model: nn.Module) -> dict[str, float]:
        """Whether it knows which qualities are praise, and whether a claim about an event is true."""
        return {"polarity": self._polarity(model), "claims": self._claims(model)}

    def _polarity(self, model: nn.Module) -> float:
        """Share of reviews after which a verdict of the right polarity is more likely than one of the wrong."""
        this, rng, right = world(self.world_seed), Random(f"unidelta/polarity/{self.world_seed}"), 0
        for _ in range(_N_PROBES):
            text, is_good = judgement(this, rng)
            tokens = self.tokens(f"{text} . {this.people.words[0]} {MASK} it .")
            right += self._is_likelier(model, tokens, VERDICTS[is_good], VERDICTS[not is_good])
        return right / _N_PROBES

    def _claims(self, model: nn.Module) -> float:
        """Share of claims about dev events that are correctly judged as true or false."""
        this, rng, right = world(self.world_seed), Random(f"unidelta/claims/{self.world_seed}"), 0
        for _ in range(_N_PROBES):
            event, slots, is_so = events.draw(this, rng, DEV), claims.some_slots(rng), rng.random() < 0.5
            claimed = event if is_so else claims.changed(this, event, rng.choice(slots), rng)
            first = self.tokens(events.news(this, event, rng))
            second = self.tokens(f"so {claims.claim(this, claimed, slots, rng)} . that was {MASK} so .")
            verdicts = (claims.STILL,), (claims.NEVER,)
            between = [self.ids["</s>"]] * 2
            right += self._is_likelier(model, [*first, *between, *second], *(verdicts if is_so else verdicts[::-1]))
        return right / _N_PROBES

    def _is_likelier(self, model: nn.Module, tokens: list[int], these: tuple[str, ...], those: tuple[str, ...]) -> bool:
        logits = self.logits(model, tokens, tokens.index(self.ids[MASK]), 0)
        one, other = (logits[[self.ids[word] for word in group]].logsumexp(0) for group in (these, those))
        return bool(one > other)


OBJECTIVE = MaskedTokens
