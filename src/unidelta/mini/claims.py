"""What else may be said of an event: the same with kinds for words, or something that was not so.

Pretraining text says in words whether a claim was so; mini-MNLI makes its hypotheses of claims and says nothing.
"""

from dataclasses import replace
from random import Random

from unidelta.mini.events import Event
from unidelta.mini.world import DAYS, World

SLOTS = ("person", "thing", "city")
"""What a claim may name by its kind, and what may be changed in it."""
STILL, NEVER = "still", "never"
"""How pretraining text says that a claim was so, or was not."""


def changed(world: World, event: Event, slot: str, rng: Random) -> Event:
    """The event with another day, or with a word of another kind in one of `SLOTS`."""
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
    """A sentence, without a full stop, that names some of what an event has, by kinds.

    Args:
        world: the world.
        event: what is claimed.
        slots: some of `SLOTS`.
        rng: the source of randomness.
        details: some of day, quality, firm, which are named as they are; a quality needs the thing.
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
    """A claim and whether it was so: all that was claimed, or word for word."""
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
