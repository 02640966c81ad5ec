"""Claims about an event: true ones that use kinds instead of words, false ones, and ones that say more.

Pretraining text judges claims in words; mini-MNLI uses claims as hypotheses and asks for a label.
"""

from dataclasses import replace
from random import Random

from unidelta.mini import events
from unidelta.mini.events import Event
from unidelta.mini.world import DAYS, World

SLOTS = ("person", "thing", "city")
"""What a claim may name by its kind, and what may be changed in it."""
ENTAILED, NEUTRAL, CONTRADICTED = range(3)
"""MNLI's labels."""
VERDICTS = ("still", "perhaps", "never")
"""How pretraining text says that a claim is true, may be, or is false."""
_P_DENIED = 0.2  # share of the contradictions that are negations


def related(world: World, event: Event, known: frozenset[str], relation: int, rng: Random) -> str:
    """A claim, without a full stop, in a given relation to a report of an event.

    A neutral one adds a detail that is not in the report; a contradiction has a different kind or day, or a negation.

    Args:
        world: the world.
        event: of the report.
        known: the details in the report.
        relation: one of the labels.
        rng: the source of randomness.
    """
    slots = _some_slots(rng)
    details = {detail for detail in sorted(known) if rng.random() < 0.5}
    if relation == NEUTRAL:
        details.add(rng.choice([detail for detail in events.DETAILS if detail not in known]))
    if "quality" in details and "thing" not in slots:  # a quality needs its thing
        slots = (*slots, "thing")
    if relation == CONTRADICTED and rng.random() < _P_DENIED:
        return _claim(world, event, slots, rng, details=frozenset(details), no="not")
    if relation == CONTRADICTED:
        event = _changed(world, event, rng.choice([*slots, *sorted(details & {"day"})]), rng)
    return _claim(world, event, slots, rng, details=frozenset(details))


def doubtful(world: World, event: Event, rng: Random) -> str:
    """A claim that names all of `SLOTS` by kinds, each with equal chances right or wrong; without a full stop."""
    for slot in SLOTS:
        if rng.random() < 0.5:
            event = _changed(world, event, slot, rng)
    return _claim(world, event, SLOTS, rng, details=frozenset())


def marked(world: World, event: Event, known: frozenset[str], claim: str) -> dict[str, str]:
    """The words of a claim that are true, not in the report, or false: each with its own of `VERDICTS`.

    Args:
        world: the world.
        event: of the report.
        known: the details in the report.
        claim: about it.
    """
    true, unknown, false = VERDICTS
    kinds = {*world.people.kinds, *world.things.kinds, *world.cities.kinds}
    right = {world.people.kind(event.person), world.things.kind(event.thing), world.cities.kind(event.city)}
    details = {
        "day": (DAYS, event.day),
        "quality": (world.qualities.words, world.qualities.words[event.quality]),
        "firm": (world.firms.words, world.firms.words[event.firm]),
    }
    verdicts = {}
    for said in claim.split():
        if said in kinds:
            verdicts[said] = true if said in right else false
        for name, (words, word) in details.items():
            if said in words:
                verdicts[said] = unknown if name not in known else true if said == word else false
        if said == "not":
            verdicts[said] = false
    return verdicts


def _changed(world: World, event: Event, slot: str, rng: Random) -> Event:
    """The event with a different day, or with a word of a different kind in one of `SLOTS`."""
    if slot == "day":
        return replace(event, day=rng.choice([day for day in DAYS if day != event.day]))
    words = {"person": world.people, "thing": world.things, "city": world.cities}[slot]
    now = words.kind_of[getattr(event, slot)]
    while words.kind_of[other := rng.randrange(len(words.words))] == now:
        pass
    return replace(event, **{slot: other})


def _some_slots(rng: Random) -> tuple[str, ...]:
    """One to three of `SLOTS`."""
    return tuple(rng.sample(SLOTS, rng.choice((1, 2, 3))))


def _claim(
    world: World, event: Event, slots: tuple[str, ...], rng: Random, *, details: frozenset[str], no: str = ""
) -> str:
    """A sentence, without a full stop, that states part of an event using kinds.

    Args:
        world: the world.
        event: the claimed event.
        slots: some of `SLOTS`.
        rng: the source of randomness.
        details: some of day, quality, firm, named literally; a quality needs the thing.
        no: a word of denial before the deed.
    """
    who = f"a {world.people.kind(event.person)}" if "person" in slots else ""
    quality = f"{world.qualities.words[event.quality]} " if "quality" in details else ""
    what = f"a {quality}{world.things.kind(event.thing)}" if "thing" in slots else "it"
    rest = f" for {world.firms.words[event.firm]}" if "firm" in details else ""
    rest += f" in {world.cities.kind(event.city)}" if "city" in slots else ""
    rest += f" on {event.day}" if "day" in details else ""
    deed = f"{no} {world.deeds.words[event.deed]}".strip()
    if who and rng.random() < 0.5:
        return f"{who} {deed} {what}{rest}"
    return f"{what} was {deed}{f' by {who}' if who else ''}{rest}"
