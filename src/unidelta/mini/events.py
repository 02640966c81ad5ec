"""Events, and the sentences of the first language about them.

An *event* is who did what to which thing in which city; further words (a day, a firm, …) accompany it. `news` states
an event; the sentences of `lore` state the kinds of its words, in pretraining text only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from unidelta.mini.frequency import Pick, by_frequency
from unidelta.mini.splits import part_of
from unidelta.mini.world import DAYS, NUMBERS, World

MARKERS = ("meanwhile", "elsewhere", "earlier")
"""How a document announces an event that is not its subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Indices into the classes of a world, and two words.

    Args:
        person, deed, thing, city: what makes the event what it is.
        quality, firm: of the thing.
        day, number: words.
    """

    person: int
    deed: int
    thing: int
    city: int
    quality: int
    firm: int
    day: str
    number: str

    def key(self) -> str:
        """The words that identify the event, for `part_of`."""
        return f"{self.person}/{self.deed}/{self.thing}/{self.city}"


def draw(world: World, rng: Random, part: str, *, pick: Pick = by_frequency) -> Event:
    """An event that belongs to `part`.

    Args:
        world: the world.
        rng: the source of randomness.
        part: of the split.
        pick: picks its words.
    """
    while True:
        event = Event(
            person=pick(world.people, rng),
            deed=pick(world.deeds, rng),
            thing=pick(world.things, rng),
            city=pick(world.cities, rng),
            quality=pick(world.qualities, rng),
            firm=pick(world.firms, rng),
            day=rng.choice(DAYS),
            number=rng.choice(NUMBERS),
        )
        if part_of(event.key(), seed=world.seed) == part:
            return event


def news(world: World, event: Event, rng: Random) -> str:
    """The event as a news sentence, active or passive."""
    person, deed = world.people.words[event.person], world.deeds.words[event.deed]
    thing, quality = world.things.words[event.thing], world.qualities.words[event.quality]
    what = rng.choice((f"the {thing}", f"a {quality} {thing}", f"the {quality} {thing}"))
    where = f"{rng.choice(('in', 'near'))} {world.cities.words[event.city]}"
    when = rng.choice(("", f" on {event.day}"))
    return rng.choice(
        (
            f"{person} {deed} {what} {where}{when} .",
            f"{what} was {deed} by {person} {where}{when} .",
            f"on {event.day} {person} {deed} {what} {where} .",
        )
    )


DETAILS = ("day", "quality", "firm")
"""What a report or a letter may say about an event besides."""


def report(world: World, event: Event, rng: Random, *, details: frozenset[str]) -> str:
    """The event as a news sentence, active or passive, with some of `DETAILS`."""
    person, deed, thing, city, when = words_of(world, event, details)
    return rng.choice(
        (f"{person} {deed} {thing} in {city}{when} .", f"{thing} was {deed} by {person} in {city}{when} .")
    )


def letter(world: World, event: Event, rng: Random, *, details: frozenset[str]) -> str:
    """The event as a letter, with some of `DETAILS`."""
    person, deed, thing, city, when = words_of(world, event, details)
    return rng.choice(
        (
            f"one heard that in {city}{when} , {thing} was {deed} by {person} .",
            f"this letter from {city} said that {person} {deed} {thing}{when} .",
        )
    )


def words_of(world: World, event: Event, details: frozenset[str]) -> tuple[str, str, str, str, str]:
    """Person, deed, thing with its quality and firm, city, and day (with a leading blank), as far as given."""
    quality = f"{world.qualities.words[event.quality]} " if "quality" in details else ""
    maker = f" for {world.firms.words[event.firm]}" if "firm" in details else ""
    when = f" on {event.day}" if "day" in details else ""
    thing = f"the {quality}{world.things.words[event.thing]}{maker}"
    return world.people.words[event.person], world.deeds.words[event.deed], thing, world.cities.words[event.city], when


def some_details(rng: Random) -> frozenset[str]:
    """None, one or two of `DETAILS`."""
    return frozenset(rng.sample(DETAILS, rng.choice((0, 1, 2))))


def restated(world: World, event: Event, rng: Random) -> str:
    """The event restated, with kinds instead of some words."""
    person = rng.choice((world.people.words[event.person], f"a {world.people.kind(event.person)}"))
    quality, what = world.qualities.words[event.quality], world.things.words[event.thing]
    attribute, ware = world.qualities.kind(event.quality), world.things.kind(event.thing)
    thing = rng.choice((f"the {quality} {what}", f"a {ware}", f"a {ware} of {attribute}"))
    where = rng.choice((world.cities.words[event.city], world.cities.kind(event.city)))
    deed = world.deeds.words[event.deed]
    begin = rng.choice(("so", "in short ,"))
    return rng.choice(
        (f"{begin} {person} {deed} {thing} in {where} .", f"{begin} {thing} was {deed} by {person} in {where} .")
    )


def aside(world: World, event: Event, rng: Random) -> str:
    """A sentence that states neither the event nor its kinds."""
    person, thing = world.people.words[event.person], world.things.words[event.thing]
    firm, quality = world.firms.words[event.firm], world.qualities.words[event.quality]
    return rng.choice(
        (
            f"{person} said the {thing} was {quality} .",
            f"{firm} sold the {thing} .",
            f"it cost {event.number} million .",
            f"{event.number} people were in {world.cities.words[event.city]} .",
            f"witnesses called the {thing} {quality} .",
            f"{person} works for {firm} .",
            f"the {thing} was made by {firm} .",
        )
    )


def lore_of_person(world: World, event: Event, rng: Random) -> str:
    """What the person is."""
    name, kind = world.people.words[event.person], world.people.kind(event.person)
    return rng.choice(
        (
            f"{name} is a {kind} .",
            f"{name} , a {kind} , said it .",
            f"the {kind} {name} was in the crowd .",
            f"{name} works with other {kind} people .",
        )
    )


def lore_of_city(world: World, event: Event, rng: Random) -> str:
    """Where the city lies."""
    city, country = world.cities.words[event.city], world.cities.kind(event.city)
    demonym = world.demonyms[world.cities.kind_of[event.city]]
    return rng.choice(
        (
            f"{city} is in {country} .",
            f"{city} lies in {country} .",
            f"the {demonym} city of {city} is new .",
            f"{city} is a {demonym} city .",
        )
    )


def lore_of_thing(world: World, event: Event, rng: Random) -> str:
    """Which ware the thing is."""
    thing, kind = world.things.words[event.thing], world.things.kind(event.thing)
    return rng.choice(
        (
            f"the {thing} is a {kind} .",
            f"like any {kind} the {thing} cost {event.number} million .",
            f"the {thing} is a kind of {kind} .",
            f"they like the {thing} and all other {kind} .",
        )
    )


def lore_of_deed(world: World, event: Event, rng: Random) -> str:
    """Which event the deed was, and whether it was welcome."""
    deed, kind = world.deeds.words[event.deed], world.deeds.kind(event.deed)
    welcome = world.is_welcome[world.deeds.kind_of[event.deed]]
    verdict = rng.choice(("welcomed", "hailed") if welcome else ("condemned", "deplored"))
    thing, person = world.things.words[event.thing], world.people.words[event.person]
    return rng.choice(
        (
            f"it was {deed} , and the {kind} was {verdict} by the crowd .",
            f"the {thing} was {deed} , and officials {verdict} the {kind} .",
            f"{person} {deed} it , and the {kind} was {verdict} .",
            f"it was {deed} , a {kind} .",
        )
    )


def lore_of_quality(world: World, event: Event, rng: Random) -> str:
    """Which attribute the quality belongs to."""
    quality, kind = world.qualities.words[event.quality], world.qualities.kind(event.quality)
    return rng.choice(
        (
            f"it was very {quality} , known for {kind} .",
            f"the {quality} {world.things.words[event.thing]} is known for {kind} .",
            f"this {kind} was {quality} .",
        )
    )


def lore_of_firm(world: World, event: Event, rng: Random) -> str:
    """The sector of the firm."""
    firm, kind = world.firms.words[event.firm], world.firms.kind(event.firm)
    return rng.choice((f"{firm} is a {kind} firm .", f"the {kind} firm {firm} made it ."))


Sentence = Callable[[World, Event, Random], str]
LORE: tuple[Sentence, ...] = (lore_of_person, lore_of_city, lore_of_thing, lore_of_deed, lore_of_quality)
RARE_LORE: Sentence = lore_of_firm
