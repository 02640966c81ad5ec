"""The four downstream tasks of the miniature, in the columns of the data sets they stand for.

Each gives one row for one `part` of the world. Noise that no model can undo keeps every score below 100: summaries
and translations choose among synonyms, and a few labels are wrong.
"""

from dataclasses import replace
from random import Random
from typing import Any

from unidelta.mini import events
from unidelta.mini.events import Event
from unidelta.mini.reviews import judgement
from unidelta.mini.second_language import bilingual
from unidelta.mini.splits import part_of
from unidelta.mini.world import DAYS, World, world

LABEL_NOISE = 0.04
"""Share of labels of mini-MNLI and mini-SST-2 that are drawn anew, in every split."""
_P_USUAL = 0.75  # of the usual one of two synonyms in a summary


def xsum(seed: int, rng: Random, part: str) -> dict[str, Any]:
    """A document about one event, with asides and another event; one sentence that sums it up in house style.

    The summary names the kinds of things (world knowledge) and the epithet and sponsor that house style wants for the
    deed and the ware (to be learnt in tuning). None of these words is in the document, save by chance.
    """
    this = world(seed)
    event, other = events.draw(this, rng, part), events.draw(this, rng, part)
    main = events.told(this, event, rng)
    distraction = f"{rng.choice(events.MARKERS)} {events.told(this, other, rng)}"
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

    To follow, the hypothesis may name kinds in place of words, which takes world knowledge. News tells the matched
    premises; the mismatched ones come from letters, whose sentences are built otherwise.
    """
    this = world(seed)
    event = events.draw(this, rng, part)
    label = rng.randrange(3)
    known = {detail for detail in ("day", "quality", "firm") if rng.random() < 0.5}
    denied = rng.random() < 0.15
    premise = (_letter if mismatched else _news)(this, event, known, denied, rng)
    hypothesis = _hypothesis(this, event, known, denied, label, rng)
    return {"premise": premise, "hypothesis": hypothesis, "label": _noisy(label, 3, rng)}


def _words(this: World, event: Event, known: set[str]) -> tuple[str, str, str, str, str, str]:
    quality = f"{this.qualities.words[event.quality]} " if "quality" in known else ""
    maker = f" for {this.firms.words[event.firm]}" if "firm" in known else ""
    when = f" on {event.day}" if "day" in known else ""
    person, deed = this.people.words[event.person], this.deeds.words[event.deed]
    thing = f"the {quality}{this.things.words[event.thing]}"
    return person, deed, thing, this.cities.words[event.city], maker, when


def _news(this: World, event: Event, known: set[str], denied: bool, rng: Random) -> str:
    person, deed, thing, city, maker, when = _words(this, event, known)
    no = "not " if denied else ""
    return rng.choice(
        (
            f"{person} {no}{deed} {thing}{maker} in {city}{when} .",
            f"{thing} was {no}{deed} by {person}{maker} in {city}{when} .",
        )
    )


def _letter(this: World, event: Event, known: set[str], denied: bool, rng: Random) -> str:
    person, deed, thing, city, maker, when = _words(this, event, known)
    no = "not " if denied else ""
    return rng.choice(
        (
            f"one heard that in {city}{when} , {thing} was {no}{deed} by {person}{maker} .",
            f"this letter from {city} said that {person} {no}{deed} {thing}{maker}{when} .",
        )
    )


def _hypothesis(this: World, event: Event, known: set[str], denied: bool, label: int, rng: Random) -> str:
    said = {detail for detail in sorted(known) if rng.random() < 0.5}
    # Under a negation only the same words are sure to follow: no kinds there.
    general = set() if denied else {slot for slot in ("person", "thing", "city") if rng.random() < 0.5}
    unknown = sorted({"day", "quality", "firm"} - known)
    if label == 1 and (denied or not unknown):
        # Everything is told already, or denied: what is said of another thing is neither here nor there.
        elsewhere = _changed(this, event, "thing", rng)
        return _claim(this, elsewhere, said, rng.random() < 0.5, set(), rng, other=True)
    if label == 1:
        said.add(rng.choice(unknown))
    if label == 2:
        slots = ["denial", "person", "thing", "city"]
        slot = rng.choice([*slots, "day"] if "day" in known else slots)
        if slot == "denial" or denied:
            return _claim(this, event, said, not denied, set(), rng)
        said |= {slot} & {"day"}
        return _claim(this, _changed(this, event, slot, rng), said, False, general | ({slot} - {"day"}), rng)
    return _claim(this, event, said, denied, general, rng)


def _changed(this: World, event: Event, slot: str, rng: Random) -> Event:
    """The event with a word of another kind in one slot."""
    if slot == "day":
        return replace(event, day=rng.choice([day for day in DAYS if day != event.day]))
    words = {"person": this.people, "thing": this.things, "city": this.cities}[slot]
    now = words.kind_of[getattr(event, slot)]
    return replace(event, **{slot: rng.choice([i for i, kind in enumerate(words.kind_of) if kind != now])})


def _claim(
    this: World, event: Event, said: set[str], denied: bool, general: set[str], rng: Random, *, other: bool = False
) -> str:
    person, deed, thing, city, maker, when = _words(this, event, said)
    if "person" in general:
        person = f"a {this.people.kind(event.person)}"
    if "thing" in general:
        quality = f"{this.qualities.words[event.quality]} " if "quality" in said else ""
        thing = f"a {quality}{this.things.kind(event.thing)}"
    if "city" in general:
        city = this.cities.kind(event.city)
    if other:
        thing = f"any other {this.things.words[event.thing]}"
    where = f" in {city}" if "city" in general or rng.random() < 0.7 else ""
    no, rest = "not " if denied else "", f"{maker}{where}{when} ."
    return rng.choice((f"{person} {no}{deed} {thing}{rest}", f"{thing} was {no}{deed} by {person}{rest}"))


def _noisy(label: int, n_labels: int, rng: Random) -> int:
    """The label, or now and then any label."""
    other = rng.randrange(n_labels)
    return other if rng.random() < LABEL_NOISE else label
