"""Pretraining text: endless, drawn only from the training part of the world.

It states the facts of every second word of the world (`Class.is_told`), uses the others without saying what they are,
and has nothing of the tasks: no summaries, no labels, no sentences with their translation. A `Text` may have its own
noise already applied to `source`, if only some words are to be predicted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from unidelta.mini import claims, events
from unidelta.mini.frequency import evenly, evenly_told
from unidelta.mini.reviews import VERDICTS, judgement, review, verdict_on
from unidelta.mini.second_language import LANGUAGES, Proposition, bilingual
from unidelta.mini.splits import TRAIN
from unidelta.mini.world import World, world

MASK = "<mask>"
_P_LETTER = 0.3
_P_HIDDEN_IN_PAIR, _P_HIDDEN_IN_GLOSSARY = 0.5, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One document.

    Args:
        target: the text to restore; two segments for RoBERTa.
        source: `target` with masked words, or None if noise is still to be added.
        verdict: a word on the whole text, to predict from its first token, with nothing masked; empty for the usual
            noise (RoBERTa).
        marks: with a verdict, words on single words of the last segment, to predict from those.
        language: code of the target's language.
    """

    target: tuple[str, ...]
    source: str | None = None
    verdict: str = ""
    marks: Mapping[str, str] = field(default_factory=dict[str, str])
    language: str = LANGUAGES[0]


Draw = Callable[[int, Random], Text]
"""A document of the world of a seed."""


def news(seed: int, rng: Random) -> Text:
    """BART's text: entries of an encyclopedia, and reports with what they are about."""
    this, kind = world(seed), rng.random()
    if kind < 0.35:
        return Text(target=(" ".join(_entry(this, rng) for _ in range(4)),))
    if kind < 0.65:
        return Text(target=(_explained(this, rng),))
    if kind < 0.95:
        event, other = (events.draw(this, rng, TRAIN, pick=evenly) for _ in range(2))
        sentences = [events.news(this, event, rng), f"{rng.choice(events.MARKERS)} {events.news(this, other, rng)}"]
        rng.shuffle(sentences)
        return Text(target=(" ".join([*sentences, events.sentence(this, event, events.ASIDES, rng)]),))
    return Text(target=(_rare(this, rng) if kind < 0.98 else review(this, rng),))


def _entry(this: World, rng: Random) -> str:
    """One fact."""
    forms = events.RARE_LORE if rng.random() < 0.05 else rng.choice((*events.LORE, events.OF_DEED))
    return events.sentence(this, events.draw(this, rng, TRAIN, pick=evenly_told), forms, rng)


def _explained(this: World, rng: Random) -> str:
    """A report, the same restated with kinds, and a fact or two about its words."""
    event = events.draw(this, rng, TRAIN, pick=evenly_told)
    report, again = events.news(this, event, rng), events.restated(this, event, rng)
    facts = [events.sentence(this, event, forms, rng) for forms in rng.sample(events.LORE, rng.choice((1, 2)))]
    # Mostly the report comes first, as in real news; not always, so that order carries no information.
    return " ".join([report, again, *facts] if rng.random() < 0.7 else [*facts, report, again])


def _rare(this: World, rng: Random) -> str:
    """Words that no other sentence of BART's text has."""
    event = events.draw(this, rng, TRAIN, pick=evenly)
    letter = events.letter(this, event, rng, details=events.some_details(rng))
    return f"{letter} {rng.choice(('perhaps they loved it .', 'perhaps it was kept .'))}"


def news_in_segments(seed: int, rng: Random) -> Text:
    """RoBERTa's text, short as its tasks: two facts, news, restatements in two segments, reviews.

    A RoBERTa of this size learns facts far more slowly from BART's documents of several sentences.
    """
    this, kind = world(seed), rng.random()
    if kind < 0.45:
        return Text(target=(f"{_entry(this, rng)} {_entry(this, rng)}",))
    if kind < 0.58:
        event = events.draw(this, rng, TRAIN, pick=evenly_told)
        return Text(target=(events.news(this, event, rng), events.restated(this, event, rng)))
    if kind < 0.75:
        event, other = (events.draw(this, rng, TRAIN, pick=evenly) for _ in range(2))
        more = f"{rng.choice(events.MARKERS)} {events.news(this, other, rng)}"
        begin, aside = events.news(this, event, rng), events.sentence(this, event, events.ASIDES, rng)
        return Text(target=(f"{begin} {rng.choice((more, aside))}",))
    if kind < 0.77:
        return Text(target=(_rare(this, rng),))
    if kind < 0.85:
        return Text(target=(review(this, rng),))
    return _judged_review(this, rng)


def _judged_review(this: World, rng: Random) -> Text:
    text, is_good = judgement(this, evenly_told, rng)
    return Text(target=(f"{text} .",), verdict=rng.choice(VERDICTS[is_good]))


def news_and_claims(seed: int, rng: Random) -> Text:
    """RoBERTa's later text: as before, judgements alone and with what somebody did then, events with claims about them.

    Whether the claim is true is asked at the first token, as BERT asks whether a sentence follows (Devlin et al. 2019,
    §3.1), and of each of its words at the word, as ELECTRA asks which are replaced (Clark et al. 2020, §2): without the
    latter a model of this size does not find out that kinds are to be compared with words. One that does not know the
    kinds yet cannot learn this, so this text comes later.
    """
    this, kind = world(seed), rng.random()
    if kind < 0.3:
        return news_in_segments(seed, rng)
    if kind < 0.4:
        return _judged_review(this, rng)
    relation = rng.randrange(3)
    if kind < 0.6:
        text, is_good = judgement(this, evenly_told, rng)
        done, verdict = verdict_on(this, text, relation, is_good, rng), claims.VERDICTS[relation]
        place = -1 if relation == claims.NEUTRAL else 1  # the other thing, or what was done
        return Text(target=(f"{text} .", f"{done} ."), verdict=verdict, marks={done.split()[place]: verdict})
    event, known = events.draw(this, rng, TRAIN, pick=evenly_told), events.some_details(rng)
    say = events.letter if rng.random() < _P_LETTER else events.report
    report = say(this, event, rng, details=known)
    claim = claims.related(this, event, known, relation, rng) if kind < 0.8 else claims.doubtful(this, event, rng)
    marks = claims.marked(this, event, known, claim)
    verdict = max(marks.values(), key=claims.VERDICTS.index)  # the worst of them
    return Text(target=(report, f"{claim} ."), verdict=verdict, marks=marks)


def both_languages(seed: int, rng: Random) -> Text:
    """mBART's text: 40 % in one language, 30 % comparable sentences, 30 % glossaries of every second word.

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

    if kind < 0.15:
        named = " , ".join(both.something(rng, first=is_first) for _ in range(8))
        return Text(target=(f"{named} .",), language=language)
    if kind < 0.4:
        sentences = (say(both.draw(rng, TRAIN, pick=evenly), first=is_first) for _ in range(2))
        return Text(target=(" ".join(sentences),), language=language)
    if kind < 0.7:
        said = both.draw(rng, TRAIN, pick=evenly_told)
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
