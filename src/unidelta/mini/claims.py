"""Claims about an event: true ones that use kinds instead of words, and false ones.

Pretraining text states in words whether a claim is true; mini-MNLI uses claims as hypotheses without saying so.
"""

from dataclasses import replace
from random import Random

from unidelta.mini.events import Event
from unidelta.mini.world import DAYS, World

SLOTS = ("person", "thing", "city")
"""What a claim may name by its kind, and what may be changed in it."""
STILL, NEVER = "still", "never"
"""How pretraining text says that a claim is true or false."""


def changed(world: World, event: Event, slot: str, rng: Random) -> Event:
    """The event with a different day, or with a word of a different kind in one of `SLOTS`."""
    if slot == "day":
        return replace(event, day=rng.choice([day for day in DAYS if day != event.day]))
    words = {"person": world.people, "thing": world.things, "city": world.cities}[slot]
    now = words.kind_of[getattr(event, slot)]
    return replace(event, **{slot: rng.choice([i for i, kind in enumerate(words.kind_of) if kind != now])})


def some_slots(rng: Random) -> tuple[str, ...]:
    """One to three of `SLOTS`."""
    return tuple(rng.sample(SLOTS, rng.choice((1, 2, 3))))


def claim(
    world: World,
    event: Event,
    slots: tuple[str, ...],
    rng: Random,
    *,
    details: frozenset[str] = frozenset(),
    no: str = "",
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


def judged(world: World, event: Event, rng: Random) -> str:
    """A claim, and the statement whether it is true: of the whole claim, or of single words."""
    if rng.random() < 0.5:
        return " ".join(_judged_alone(world, event, slot, rng) for slot in some_slots(rng))
    slots, is_so = some_slots(rng), rng.random() < 0.5
    claimed = event if is_so else changed(world, event, rng.choice(slots), rng)
    return f"so {claim(world, claimed, slots, rng)} . that was {STILL if is_so else NEVER} so ."


def _judged_alone(world: World, event: Event, slot: str, rng: Random) -> str:
    is_so = rng.random() < 0.5
    claimed = event if is_so else changed(world, event, slot, rng)
    what = {
        "person": f"a {world.people.kind(claimed.person)}",
        "thing": f"a {world.things.kind(claimed.thing)}",
        "city": f"in {world.cities.kind(claimed.city)}",
    }[slot]
    return f"it was {STILL if is_so else NEVER} {what} ."
