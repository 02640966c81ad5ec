"""Events, and the sentences of the first language about them.

An *event* is who did what to which thing in which city; further words (a day, a firm, …) accompany it. `news` states
an event; the sentences of `LORE` state the kinds of its words, in pretraining text only.
"""

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


ASIDES = (
    "{person} said the {thing} was {quality} .",
    "{firm} sold the {thing} .",
    "it cost {number} million .",
    "{number} people were in {city} .",
    "witnesses called the {thing} {quality} .",
    "{person} works for {firm} .",
    "the {thing} was made by {firm} .",
)
"""Sentences that state neither the event nor its kinds."""

OF_DEED = (
    "it was {deed} , and the {event} was {verdict} by the crowd .",
    "the {thing} was {deed} , and officials {verdict} the {event} .",
    "{person} {deed} it , and the {event} was {verdict} .",
    "it was {deed} , a {event} .",
)
"""Which event the deed was, and whether it was welcome."""

LORE = (
    (  # what the person is
        "{person} is a {profession} .",
        "{person} , a {profession} , said it .",
        "the {profession} {person} was in the crowd .",
        "{person} works with other {profession} people .",
    ),
    (  # where the city lies
        "{city} is in {country} .",
        "{city} lies in {country} .",
        "the {demonym} city of {city} is new .",
        "{city} is a {demonym} city .",
    ),
    (  # which ware the thing is
        "the {thing} is a {ware} .",
        "like any {ware} the {thing} cost {number} million .",
        "the {thing} is a kind of {ware} .",
        "they like the {thing} and all other {ware} .",
    ),
    OF_DEED,
    (  # which attribute the quality belongs to
        "it was very {quality} , known for {attribute} .",
        "the {quality} {thing} is known for {attribute} .",
        "this {attribute} was {quality} .",
    ),
)
"""Sentences that state a fact about a word of an event."""

RARE_LORE = ("{firm} is a {sector} firm .", "the {sector} firm {firm} made it .")
"""The sector of the firm."""


def sentence(world: World, event: Event, forms: tuple[str, ...], rng: Random) -> str:
    """One of `ASIDES`, of the `LORE`, or of `RARE_LORE`, about an event."""
    words = {
        "person": world.people.words[event.person],
        "profession": world.people.kind(event.person),
        "city": world.cities.words[event.city],
        "country": world.cities.kind(event.city),
        "demonym": world.demonyms[world.cities.kind_of[event.city]],
        "thing": world.things.words[event.thing],
        "ware": world.things.kind(event.thing),
        "deed": world.deeds.words[event.deed],
        "event": world.deeds.kind(event.deed),
        "quality": world.qualities.words[event.quality],
        "attribute": world.qualities.kind(event.quality),
        "firm": world.firms.words[event.firm],
        "sector": world.firms.kind(event.firm),
        "number": event.number,
    }
    if forms is OF_DEED:
        is_welcome = world.is_welcome[world.deeds.kind_of[event.deed]]
        words["verdict"] = rng.choice(("welcomed", "hailed") if is_welcome else ("condemned", "deplored"))
    return rng.choice(forms).format_map(words)
