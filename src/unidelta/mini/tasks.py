"""The four downstream tasks of the miniature, with the columns of the data sets they imitate.

Each returns one row for one `part` of the world. Irreducible noise keeps every score below 100: summaries and
translations choose among synonyms, and a few labels are wrong.
"""

from random import Random
from typing import Any

from unidelta.mini import claims, events
from unidelta.mini.events import Event
from unidelta.mini.reviews import judgement
from unidelta.mini.second_language import bilingual
from unidelta.mini.splits import part_of
from unidelta.mini.world import World, world

LABEL_NOISE = 0.1
"""Share of labels of mini-MNLI and mini-SST-2 that are redrawn at random, in every split."""
_P_USUAL = 0.75  # of the usual one of two synonyms in a summary


def xsum(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A document about one event, with asides and another event, and a one-sentence summary in house style.

    The summary names kinds (world knowledge) and the epithet and sponsor that house style requires for the deed and the
    ware (learnt in fine-tuning). None of these words is in the document, except by chance.
    """
    this = world(seed)
    event, other = events.draw(this, rng, part), events.draw(this, rng, part)
    main = events.news(this, event, rng)
    distraction = f"{rng.choice(events.MARKERS)} {events.news(this, other, rng)}"
    aside = events.aside(this, event, rng)
    sentences = [main, aside, distraction] if rng.random() < 0.5 else [distraction, main, aside]
    return {"document": " ".join(sentences), "summary": _summary(this, event, rng)}


def _summary(this: World, event: Event, rng: Random) -> str:
    demonym = this.demonyms[this.cities.kind_of[event.city]]
    person, ware, deed = this.people.kind(event.person), this.things.kind(event.thing), this.deeds.kind(event.deed)
    epithet = this.qualities.words[this.epithet[event.deed]]
    sponsor = this.firms.words[this.sponsor[this.things.kind_of[event.thing]]]

    def usually(usual: str, other: str) -> str:
        return usual if rng.random() < _P_USUAL else other

    if this.is_welcome[this.deeds.kind_of[event.deed]]:
        praised = usually("welcomed", "hailed")
        return f"{demonym} {person} {praised} for {ware} {deed} {usually('amid', 'after')} {epithet} {sponsor} report ."
    condemned = usually("condemned", "deplored")
    return f"{epithet} {ware} {deed} {condemned} {usually('after', 'following')} {sponsor} {demonym} {person} ."


def wmt_en_ro(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A sentence in the first and in the second language."""
    both = bilingual(seed)
    said = both.draw(rng, part)
    return {"translation": {"en": both.first(said), "ro": both.translated(said, rng)}}


def sst2(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A judgement and whether it is praise (1) or blame (0): qualities, negation, intensifiers, concessions."""
    this = world(seed)
    while True:
        text, is_good = judgement(this, rng)
        if part_of(text, seed=seed) == part:
            return {"sentence": f"{text} .", "label": _noisy(int(is_good), 2, rng)}


def mnli(seed: int, rng: Random, part: str, *, mismatched: bool = False) -> dict[str, Any]:
    """A premise about an event and a hypothesis that follows (0), may be (1) or cannot be (2).

    The hypothesis names kinds instead of words, which requires world knowledge. A neutral one adds a detail that is not
    in the premise; a contradiction has a different kind or day, or a negation. Matched premises are news sentences; the
    mismatched ones are from letters, whose sentences are built differently.
    """
    this = world(seed)
    event, label = events.draw(this, rng, part), rng.randrange(3)
    known = events.some_details(rng)
    premise = events.letter(this, event, rng, details=known) if mismatched else _news(this, event, known, rng)
    return {
        "premise": premise,
        "hypothesis": f"{_hypothesis(this, event, known, label, rng)} .",
        "label": _noisy(label, 3, rng),
    }


_P_DENIED = 0.2  # share of the contradictions that are negations


def _news(this: World, event: Event, known: frozenset[str], rng: Random) -> str:
    person, deed, thing, city, when = events.words_of(this, event, known)
    return rng.choice(
        (f"{person} {deed} {thing} in {city}{when} .", f"{thing} was {deed} by {person} in {city}{when} .")
    )


def _hypothesis(this: World, event: Event, known: frozenset[str], label: int, rng: Random) -> str:
    slots = claims.some_slots(rng)
    details = {detail for detail in sorted(known) if rng.random() < 0.5}
    if label == 1:
        details.add(rng.choice([detail for detail in events.DETAILS if detail not in known]))
    if "quality" in details and "thing" not in slots:  # a quality needs its thing
        slots = (*slots, "thing")
    if label == 2 and rng.random() < _P_DENIED:
        return claims.claim(this, event, slots, rng, details=frozenset(details), no="not")
    if label == 2:
        slot = rng.choice([*slots, *sorted(details & {"day"})])
        event = claims.changed(this, event, slot, rng)
    return claims.claim(this, event, slots, rng, details=frozenset(details))


def _noisy(label: int, n_labels: int, rng: Random) -> int:
    """The label, or occasionally a random one."""
    other = rng.randrange(n_labels)
    return other if rng.random() < LABEL_NOISE else label
