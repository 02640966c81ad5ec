"""Does a backbone know the world? Each probe hides the word that a fact is about and asks for it.

A probe is the share of facts for which the right word is the most likely one at the hidden place.
"""

from random import Random

import torch
from torch import nn

from unidelta.mini import claims, events
from unidelta.mini.pretraining.texts import MASK
from unidelta.mini.reviews import VERDICTS, judgement
from unidelta.mini.second_language import LANGUAGES, bilingual
from unidelta.mini.settings import words_of
from unidelta.mini.splits import DEV
from unidelta.mini.world import world

Question = tuple[str, str]
"""A sentence with one `<mask>`, and the word that belongs there."""


def questions(family: str, *, seed: int) -> dict[str, list[Question]]:
    """The probes of a family: by the name of the fact, its questions."""
    this, rng = world(seed), Random(f"unidelta/probes/{seed}")
    if family == "mbart":
        return {"verbs of translations": _translations(seed, rng)}
    people, things = this.people.words, this.things.words
    return {
        "people": [(f"{word} is a {MASK} .", this.people.kind(i)) for i, word in enumerate(people)],
        "cities": [(f"{word} is in {MASK} .", this.cities.kind(i)) for i, word in enumerate(this.cities.words)],
        "things": [(f"the {word} is a {MASK} .", this.things.kind(i)) for i, word in enumerate(things)],
        "deeds": [
            (f"{rng.choice(people)} {word} the {rng.choice(things)} . it was {word} , a {MASK} .", this.deeds.kind(i))
            for i, word in enumerate(this.deeds.words)
        ],
    }


def _translations(seed: int, rng: Random) -> list[Question]:
    both = bilingual(seed)
    asked: list[Question] = []
    while len(asked) < 100:
        said = both.draw(rng, DEV)
        verbs = both.second.verbs[said.deed]
        words = both.translated(said, rng).split()
        if len(verbs) == 1:  # with synonyms no answer is the right one
            hidden = " ".join(MASK if word == verbs[0] else word for word in words)
            asked.append((f"{both.first(said)} {hidden}", verbs[0]))
    return asked


@torch.no_grad()
def probe(model: nn.Module, family: str, *, seed: int) -> dict[str, float]:
    """The share of right answers of each probe, 0 to 1. The model is left in the mode it came in."""
    words = words_of(family, seed=seed)
    was_training = model.training
    model.eval()
    found = {
        name: sum(_is_right(model, family, words, *question) for question in asked) / len(asked)
        for name, asked in questions(family, seed=seed).items()
    }
    if family == "roberta":
        found["polarity"] = _polarity(model, words, seed=seed)
        found["claims"] = _claims(model, words, seed=seed)
    model.train(was_training)
    return found


def _is_right(model: nn.Module, family: str, words: dict[str, int], sentence: str, answer: str) -> bool:
    tokens = [words[word] for word in sentence.split()]
    place = tokens.index(words[MASK])
    if family == "mbart":
        ending = [2, words[LANGUAGES[1]]]
        source, target = [*tokens, *ending], [*tokens[:place], words[answer], *tokens[place + 1 :], *ending]
    else:
        source, target = [0, *tokens, 2], [0, *tokens[:place], words[answer], *tokens[place + 1 :], 2]
        place += 1
    if family == "roberta":
        logits = model(input_ids=torch.tensor([source])).logits
    else:
        # Teacher forcing: the words before the hidden one are given.
        logits = model(input_ids=torch.tensor([source]), labels=torch.tensor([target])).logits
    return int(logits[0, place].argmax()) == words[answer]


def _polarity(model: nn.Module, words: dict[str, int], *, seed: int) -> float:
    """Share of reviews after which a verdict of the right polarity is more likely than one of the wrong."""
    this, rng, right = world(seed), Random(f"unidelta/polarity/{seed}"), 0
    for _ in range(200):
        text, is_good = judgement(this, rng)
        tokens = [0, *(words[word] for word in f"{text} . {this.people.words[0]} {MASK} it .".split()), 2]
        right += _is_likelier(model, words, tokens, VERDICTS[is_good], VERDICTS[not is_good])
    return right / 200


def _claims(model: nn.Module, words: dict[str, int], *, seed: int) -> float:
    """Share of claims about dev events that are rightly taken for so or not so."""
    this, rng, right = world(seed), Random(f"unidelta/claims/{seed}"), 0
    for _ in range(200):
        event, slots, is_so = events.draw(this, rng, DEV), claims.some_slots(rng), rng.random() < 0.5
        claimed = event if is_so else claims.changed(this, event, rng.choice(slots), rng)
        first = events.told(this, event, rng).split()
        second = f"so {claims.claim(this, claimed, slots, rng)} . that was {MASK} so .".split()
        tokens = [0, *(words[word] for word in first), 2, 2, *(words[word] for word in second), 2]
        verdicts = (claims.STILL,), (claims.NEVER,)
        right += _is_likelier(model, words, tokens, *(verdicts if is_so else verdicts[::-1]))
    return right / 200


def _is_likelier(
    model: nn.Module, words: dict[str, int], tokens: list[int], these: tuple[str, ...], those: tuple[str, ...]
) -> bool:
    logits = model(input_ids=torch.tensor([tokens])).logits[0, tokens.index(words[MASK])]
    one, other = (logits[[words[word] for word in group]].logsumexp(0) for group in (these, those))
    return bool(one > other)
