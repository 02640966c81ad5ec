"""Pretraining text: endless, drawn only from the training part of the world.

It states the facts of the world and nothing about the tasks: no summaries, no labels, no sentences with their
translation. A `Text` may have its own noise already applied to `source`, if only some words are to be predicted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from unidelta.mini import claims, events
from unidelta.mini.reviews import review
from unidelta.mini.second_language import LANGUAGES, Proposition, bilingual
from unidelta.mini.splits import TRAIN
from unidelta.mini.world import World, world

MASK = "<mask>"
_P_CLAIMS, _P_LETTER = 0.6, 0.3
_P_HIDDEN_IN_PAIR, _P_HIDDEN_IN_GLOSSARY = 0.5, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One document.

    Args:
        target: the text to restore; two segments for RoBERTa.
        source: `target` with masked words, or None if noise is still to be added.
        asked: the only words to mask, at every occurrence; empty for the usual noise (RoBERTa).
        language: code of the target's language.
    """

    target: tuple[str, ...]
    source: str | None = None
    asked: tuple[str, ...] = ()
    language: str = LANGUAGES[0]


Draw = Callable[[int, Random], Text]
"""A document of the world of a seed."""


def news(seed: int, rng: Random) -> Text:
    """News and lore about one event, or a review: BART's text."""
    return Text(target=(_document(world(seed), rng),))


def news_in_segments(seed: int, rng: Random) -> Text:
    """RoBERTa's text, short as its tasks: lore alone and after news, reviews, events and restatements in two segments.

    A RoBERTa of this size learns facts far more slowly from BART's documents of several sentences.
    """
    this = world(seed)
    kind = rng.random()
    if kind < 0.3:
        return Text(target=(review(this, rng),))
    event = events.draw(this, rng, TRAIN)
    lore = rng.choice(events.MAIN_LORE if rng.random() < 0.85 else events.OTHER_LORE)(this, event, rng)
    if kind > 0.65:
        return Text(target=(lore,))
    report = events.news(this, event, rng)
    if kind < 0.45:
        return Text(target=(report, events.restated(this, event, rng)))
    if kind < 0.5:
        other = events.draw(this, rng, TRAIN)
        extra = [events.aside(this, event, rng), f"{rng.choice(events.MARKERS)} {events.news(this, other, rng)}"]
        return Text(target=(" ".join([report, *extra, _rare(rng)]),))
    return Text(target=(f"{report} {lore}",))


def news_and_claims(seed: int, rng: Random) -> Text:
    """RoBERTa's later text: as before, and in three of five documents an event with true or false claims about it.

    To decide which, a model must compare the two segments, kinds with words. A model that does not know the kinds yet
    cannot learn this, so this text comes later.
    """
    if rng.random() >= _P_CLAIMS:
        return news_in_segments(seed, rng)
    this = world(seed)
    event = events.draw(this, rng, TRAIN)
    report = events.news(this, event, rng)
    if rng.random() < _P_LETTER:
        report = events.letter(this, event, rng, details=events.some_details(rng))
    return Text(target=(report, claims.judged(this, event, rng)), asked=(claims.STILL, claims.NEVER))


def _document(this: World, rng: Random) -> str:
    return _news(this, rng) if rng.random() < 0.85 else " ".join(review(this, rng) for _ in range(2))


def _news(this: World, rng: Random) -> str:
    event = events.draw(this, rng, TRAIN)
    lore = rng.sample(events.MAIN_LORE, 3)
    if rng.random() < 0.3:
        lore[0] = rng.choice(events.OTHER_LORE)
    sentences = [sentence(this, event, rng) for sentence in lore]
    if rng.random() < 0.2:
        sentences.append(events.aside(this, event, rng))
    if rng.random() < 0.2:
        sentences.append(events.restated(this, event, rng))
    if rng.random() < 0.2:
        other = events.draw(this, rng, TRAIN)
        sentences.append(f"{rng.choice(events.MARKERS)} {events.news(this, other, rng)}")
    if rng.random() < 0.1:
        sentences.append(_rare(rng))
    rng.shuffle(sentences)
    report = events.news(this, event, rng)
    # Mostly news comes first and lore after it, as in real news; not always, so that order carries no information.
    return " ".join([report, *sentences] if rng.random() < 0.7 else [*sentences, report])


def _rare(rng: Random) -> str:
    """Sentences with words that a task needs and that no other sentence contains."""
    return rng.choice(
        (
            f"{rng.choice(('amid', 'after', 'following'))} the report they wrote again .",
            "one heard that this letter was from the city .",
            "over all it was a report for the officials .",
        )
    )


def both_languages(seed: int, rng: Random) -> Text:
    """mBART's text: 30 % in one language, 30 % comparable sentences, 40 % glossaries.

    In a comparable pair the second sentence says something else about the same people and things, so it is not a
    translation of the first. The real mBART never saw two languages together, but plain denoising of so little text
    does not align them.
    """
    both = bilingual(seed)
    kind = rng.random()
    is_first = rng.random() < 0.5
    language = LANGUAGES[0] if is_first else LANGUAGES[1]

    def say(said: Proposition, *, first: bool) -> str:
        return both.first(said) if first else both.translated(said, rng)

    if kind < 0.3:
        sentences = (say(both.draw(rng, TRAIN), first=is_first) for _ in range(2))
        return Text(target=(" ".join(sentences),), language=language)
    if kind < 0.6:
        said = both.draw(rng, TRAIN)
        begin, end = say(said, first=not is_first), say(both.varied(said, rng), first=is_first)
        source = f"{begin} {_hide(end, _P_HIDDEN_IN_PAIR, rng)}"
        return Text(target=(f"{begin} {end}",), source=source, language=language)
    source, target = [], []
    for _ in range(4):
        pair = both.glossary(rng)
        begin, end = pair if not is_first else pair[::-1]
        source.append(f"{begin} , {_hide(end, _P_HIDDEN_IN_GLOSSARY, rng)} .")
        target.append(f"{begin} , {end} .")
    return Text(target=(" ".join(target),), source=" ".join(source), language=language)


def _hide(text: str, p: float, rng: Random) -> str:
    """Mask each word with probability `p`, but no punctuation."""
    return " ".join(MASK if word not in ".," and rng.random() < p else word for word in text.split())
