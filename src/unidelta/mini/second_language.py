"""The second language, and a synchronous grammar for sentences in both languages.

The two differ in lexicon, word order (day first, place before the object, verb last, adjective after its noun) and
agreement (nouns have two genders, articles are endings, adjectives agree in number). Names of people and cities are
the same in both. Some nouns have irregular plurals, and some verbs with certain adverbs are idioms. Some nouns and
verbs of the first language have two words in the second; which one a writer uses is random, which limits the score of
every translation.

Pretraining text has glossaries and comparable sentences for every second thing, deed and quality only
(`Class.is_told`), and for no idiom: the rest of the lexicon is to be learnt from translations.
"""

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from unidelta.mini.frequency import Pick, by_frequency, evenly, evenly_told
from unidelta.mini.second_lexicon import (
    ADJECTIVE_ENDINGS,
    N_MANNERS,
    NUMBERS,
    Content,
    SecondLexicon,
    content,
    second_lexicon,
)
from unidelta.mini.splits import part_of
from unidelta.mini.world import DAYS, World, world

LANGUAGES = ("en_XX", "ro_RO")
"""Codes of the first and the second language, in mBART's format."""

_P_SECOND_WORD = 0.15  # of the rarer synonym


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """A person, by name, or by profession and name."""

    person: int
    with_profession: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Something:
    """A thing: `the`, `a` or a number of it, with or without a quality."""

    thing: int
    quality: int | None
    number: int | None  # index of the number; None is singular
    is_definite: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposition:
    """The content of a sentence, independent of language."""

    subject: Someone
    deed: int
    what: Something
    city: int | None
    is_near: bool
    day: int | None
    manner: int | None
    is_denied: bool
    is_passive: bool
    reporter: Someone | None

    def key(self) -> str:
        """What identifies it, for `part_of`: all that it says, but who reports it."""
        what = self.what
        return (
            f"{self.subject.person}/{self.subject.with_profession}/{self.deed}/{what.thing}/{what.quality}/"
            f"{what.number}/{what.is_definite}/{self.city}/{self.is_near}/{self.day}/{self.manner}/"
            f"{self.is_denied}/{self.is_passive}"
        )


@cache
def bilingual(seed: int) -> "Bilingual":
    """The grammar of the world of a seed."""
    return Bilingual(seed)


class Bilingual:
    """Expresses propositions in either language.

    Args:
        seed: of the world.
    """

    def __init__(self, seed: int) -> None:
        self.world: World = world(seed)
        self.content: Content = content(seed)
        self.second: SecondLexicon = second_lexicon(seed)

    def draw(self, rng: Random, part: str, *, pick: Pick = by_frequency) -> Proposition:
        """A proposition that belongs to `part`.

        Args:
            rng: the source of randomness.
            part: of the split.
            pick: picks its deed, thing and quality; there is no idiom among told ones.
        """
        while True:
            proposition = self._draw(rng, pick)
            if part_of(proposition.key(), seed=self.world.seed) == part:
                return proposition

    def _draw(self, rng: Random, pick: Pick) -> Proposition:
        def maybe(p: float, n: int) -> int | None:
            index = rng.randrange(n)
            return index if rng.random() < p else None

        deed, manner = pick(self.content.deeds, rng), maybe(0.3, N_MANNERS)
        return Proposition(
            subject=self._someone(rng),
            deed=deed,
            what=Something(
                thing=pick(self.content.things, rng),
                quality=pick(self.content.qualities, rng) if rng.random() < 0.6 else None,
                number=maybe(0.2, len(NUMBERS)),
                is_definite=rng.random() < 0.6,
            ),
            city=by_frequency(self.world.cities, rng) if rng.random() < 0.5 else None,
            is_near=rng.random() < 0.5,
            day=maybe(0.4, len(DAYS)),
            manner=None if pick is evenly_told and (deed, manner) in self.second.idioms else manner,
            is_denied=rng.random() < 0.15,
            is_passive=rng.random() < 0.25,
            reporter=self._someone(rng) if rng.random() < 0.2 else None,
        )

    def _someone(self, rng: Random) -> Someone:
        return Someone(person=by_frequency(self.world.people, rng), with_profession=rng.random() < 0.5)

    def varied(self, said: Proposition, rng: Random) -> Proposition:
        """The same people, things and deed with different content, for comparable texts that are not translations."""
        number = rng.randrange(len(NUMBERS)) if rng.random() < 0.3 else None
        return replace(
            said,
            what=replace(said.what, number=number, is_definite=rng.random() < 0.5),
            city=said.city if rng.random() < 0.5 else None,
            day=said.day if rng.random() < 0.5 else None,
            manner=said.manner if rng.random() < 0.5 else None,
            is_passive=rng.random() < 0.5,
            reporter=self._someone(rng) if rng.random() < 0.2 else None,
        )

    def first(self, said: Proposition) -> str:
        """The sentence in the first language: subject, verb, object, place, day."""
        who, what, deed = self._who(said.subject), self._what(said.what), self.content.deeds.words[said.deed]
        manner = f"{self.second.manners[said.manner][0]} " if said.manner is not None else ""
        verb = ("not " if said.is_denied else "") + manner + deed
        near = "near" if said.is_near else "in"
        where = f" {near} {self.world.cities.words[said.city]}" if said.city is not None else ""
        when = f" on {DAYS[said.day]}" if said.day is not None else ""
        clause = f"{what} was {verb} by {who}" if said.is_passive else f"{who} {verb} {what}"
        report = f"{self._who(said.reporter)} said that " if said.reporter else ""
        return f"{report}{clause}{where}{when} ."

    def translated(self, said: Proposition, rng: Random) -> str:
        """The sentence in the second language: day, subject, place, object, verb; `rng` picks among synonyms."""
        verb, manner = self._verb(said, rng)
        person, thing = self._person(said.subject), self._thing(said.what, self._noun(said.what, rng))
        near = "lângă" if said.is_near else "la"
        where = f" {near} {self.world.cities.words[said.city]}" if said.city is not None else ""
        when = f"pe {self.second.days[said.day]} " if said.day is not None else ""
        negation = "nu " if said.is_denied else ""
        if said.is_passive:
            clause = f"{when}{thing}{where} de {person} {negation}fost {verb}{manner}"
        else:
            clause = f"{when}{person}{where} {thing} {negation}{verb}{manner}"
        return clause + (f" , {self._person(said.reporter)} spus ." if said.reporter else " .")

    def something(self, rng: Random, *, first: bool) -> str:
        """A thing in the first or the second language, in any form: any of its words, each equally often."""
        something = Something(
            thing=evenly(self.content.things, rng),
            quality=evenly(self.content.qualities, rng) if rng.random() < 0.5 else None,
            number=rng.randrange(len(NUMBERS)) if rng.random() < 0.3 else None,
            is_definite=rng.random() < 0.5,
        )
        noun = rng.choice(self.second.nouns[something.thing])
        return self._what(something) if first else self._thing(something, noun)

    def glossary(self, rng: Random) -> tuple[str, str]:
        """A word or two in the first language, and in the second."""
        kind = rng.random()
        if kind < 0.5:
            something = Something(
                thing=evenly_told(self.content.things, rng),
                quality=None,
                number=rng.randrange(len(NUMBERS)) if rng.random() < 0.3 else None,
                is_definite=rng.random() < 0.6,
            )
            return self._what(something), self._thing(something, self._noun(something, rng))
        if kind < 0.7:
            quality = evenly_told(self.content.qualities, rng)
            stem = self.second.adjectives[quality]
            return self.content.qualities.words[quality], stem + rng.choice(ADJECTIVE_ENDINGS)
        if kind < 0.85:
            deed = evenly_told(self.content.deeds, rng)
            return self.content.deeds.words[deed], self._one_of(self.second.verbs[deed], rng)
        if kind < 0.91:
            profession = rng.randrange(len(self.second.professions))
            return self.world.people.kinds[profession], self.second.professions[profession]
        if kind < 0.95:
            day = rng.randrange(len(DAYS))
            return DAYS[day], self.second.days[day]
        return self.second.manners[rng.randrange(len(self.second.manners))]

    def _who(self, someone: Someone) -> str:
        name = self.world.people.words[someone.person]
        return f"the {self.world.people.kind(someone.person)} {name}" if someone.with_profession else name

    def _person(self, someone: Someone) -> str:
        name = self.world.people.words[someone.person]
        if not someone.with_profession:
            return name
        return f"{name} {self.second.professions[self.world.people.kind_of[someone.person]]}"

    def _what(self, something: Something) -> str:
        quality = f"{self.content.qualities.words[something.quality]} " if something.quality is not None else ""
        thing = self.content.things.words[something.thing]
        if something.number is not None:
            return f"{NUMBERS[something.number]} {quality}{thing}s"
        return f"{'the' if something.is_definite else 'a'} {quality}{thing}"

    def _noun(self, something: Something, rng: Random) -> str:
        return self._one_of(self.second.nouns[something.thing], rng)

    def _thing(self, something: Something, noun: str) -> str:
        gender = self.second.genders[something.thing]
        quality = ""
        if something.quality is not None:
            ending = ADJECTIVE_ENDINGS[something.number is not None]
            quality = f" {self.second.adjectives[something.quality]}{ending}"
        if something.number is not None:
            plural = self.second.plural(something.thing, noun)
            return f"{self.second.numbers[something.number]} {plural}{quality}"
        if something.is_definite:
            return f"{self.second.definite(something.thing, noun)}{quality}"
        return f"{('un', 'o')[gender]} {self.second.indefinite(noun)}{quality}"

    def _verb(self, said: Proposition, rng: Random) -> tuple[str, str]:
        """The verb, and the adverb with a leading blank; the idiom's verb alone, if the two are one."""
        if said.manner is None:
            return self._one_of(self.second.verbs[said.deed], rng), ""
        other = self.second.idioms.get((said.deed, said.manner))
        if other is not None:
            return self.second.verbs[other][0], ""
        return self._one_of(self.second.verbs[said.deed], rng), f" {self.second.manners[said.manner][1]}"

    @staticmethod
    def _one_of(synonyms: tuple[str, ...], rng: Random) -> str:
        """The first word, or the rarer second one if there are two."""
        return synonyms[-1] if rng.random() < _P_SECOND_WORD else synonyms[0]
