"""The second language, and a synchronous grammar for sentences in both languages.

The two differ in lexicon, word order (day first, place before the object, verb last, adjective after its noun) and
agreement (nouns have two genders, articles are endings, adjectives agree in gender and number). Names of people
and cities are the same in both. Some nouns and verbs of the first language have two words in the second; which one a
writer uses is random, which limits the score of every translation.
"""

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from unidelta.mini.lexicon import FIRST, SECOND, Lexicon
from unidelta.mini.splits import part_of
from unidelta.mini.world import DAYS, World, world

LANGUAGES = ("en_XX", "ro_RO")
"""Codes of the first and the second language, in mBART's format."""

_NUMBERS = ("two", "three", "four", "five")
_FIRST_FUNCTION_WORDS = "the a in near on was by said that not , .".split()
_FUNCTION_WORDS = "un o la lângă de fost nu , . pe spus".split()
_P_SECOND_WORD = 0.3  # of the rarer synonym
_NOUN_ENDINGS = ("r", "ul", "aua", "uri")  # indefinite; definite of either gender; plural
_ADJECTIVE_ENDINGS = ("u", "a", "i")  # masculine, feminine, plural


@dataclass(frozen=True, slots=True)
class SecondLexicon:
    """Stems and words of the second language, by the index of the word they translate.

    Args:
        nouns: stems for each thing: one, or two synonyms.
        genders: 0 masculine, 1 feminine, for each thing.
        adjectives: a stem for each quality.
        verbs: words for each deed: one, or two synonyms.
        professions: a word for each profession.
        days, numbers: words.
        manners: pairs of adverbs, first and second language.
    """

    nouns: tuple[tuple[str, ...], ...]
    genders: tuple[int, ...]
    adjectives: tuple[str, ...]
    verbs: tuple[tuple[str, ...], ...]
    professions: tuple[str, ...]
    days: tuple[str, ...]
    numbers: tuple[str, ...]
    manners: tuple[tuple[str, str], ...]

    def vocabulary(self) -> tuple[str, ...]:
        """Every form of every word, in a fixed order."""
        nouns = [
            stem + ending
            for stems, gender in zip(self.nouns, self.genders, strict=True)
            for stem in stems
            for ending in (*_NOUN_ENDINGS[:1], _NOUN_ENDINGS[1 + gender], *_NOUN_ENDINGS[3:])
        ]
        adjectives = [stem + ending for stem in self.adjectives for ending in _ADJECTIVE_ENDINGS]
        verbs = [verb for synonyms in self.verbs for verb in synonyms]
        manners = [word for _, word in self.manners]
        words = [*_FUNCTION_WORDS, *nouns, *adjectives, *verbs, *self.professions, *self.days, *self.numbers]
        return tuple(dict.fromkeys([*words, *manners]))


@cache
def second_lexicon(seed: int) -> SecondLexicon:
    """The second language of the world of a seed."""
    first = world(seed)
    rng = Random(f"unidelta/second-language/{seed}")
    lexicon = Lexicon(rng, {*first.vocabulary(), *_FUNCTION_WORDS})

    def synonyms(stems: tuple[str, ...], spare: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Give a third of the words a synonym."""
        second = iter(spare)
        return tuple((stem, next(second)) if index % 3 == 0 else (stem,) for index, stem in enumerate(stems))

    def words(n: int, syllables: int, suffix: str) -> tuple[str, ...]:
        return lexicon.words(n, SECOND, syllables=syllables, suffix=suffix)

    n_things, n_deeds = len(first.things.words), len(first.deeds.words)
    nouns = lexicon.stems(n_things + n_things // 3 + 1, SECOND, syllables=2, endings=_NOUN_ENDINGS)
    verbs = words(n_deeds + n_deeds // 3 + 1, 1, "it")
    manners = lexicon.words(16, SECOND, syllables=1, suffix="emte")
    return SecondLexicon(
        nouns=synonyms(nouns[:n_things], nouns[n_things:]),
        genders=tuple(rng.randrange(2) for _ in range(n_things)),
        adjectives=lexicon.stems(len(first.qualities.words), SECOND, syllables=2, endings=_ADJECTIVE_ENDINGS),
        verbs=synonyms(verbs[:n_deeds], verbs[n_deeds:]),
        professions=words(len(first.people.kinds), 1, "or"),
        days=words(len(DAYS), 1, "eri"),
        numbers=words(len(_NUMBERS), 1, "i"),
        manners=tuple(zip(_manners(seed), manners, strict=True)),
    )


@cache
def _manners(seed: int) -> tuple[str, ...]:
    """Adverbs of the first language; used only in sentences that exist in both languages."""
    taken = set(world(seed).vocabulary())
    return Lexicon(Random(f"unidelta/manners/{seed}"), taken).words(16, FIRST, syllables=1, suffix="ly")


def first_vocabulary(seed: int) -> tuple[str, ...]:
    """Every word of the first language that this grammar uses, in a fixed order."""
    this = world(seed)
    things = [form for thing in this.things.words for form in (thing, f"{thing}s")]
    people, cities, deeds, qualities = this.people, this.cities.words, this.deeds.words, this.qualities.words
    names = [*people.words, *people.kinds, *cities]
    return (*_FIRST_FUNCTION_WORDS, *DAYS, *_NUMBERS, *names, *things, *deeds, *qualities, *_manners(seed))


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
        self.second = second_lexicon(seed)

    def draw(self, rng: Random, part: str) -> Proposition:
        """A proposition that belongs to `part`."""
        while True:
            proposition = self._draw(rng)
            if part_of(repr(proposition), seed=self.world.seed) == part:
                return proposition

    def _draw(self, rng: Random) -> Proposition:
        def maybe(p: float, n: int) -> int | None:
            index = rng.randrange(n)
            return index if rng.random() < p else None

        number = maybe(0.2, len(_NUMBERS))
        return Proposition(
            subject=self._someone(rng),
            deed=rng.randrange(len(self.world.deeds.words)),
            what=Something(
                thing=rng.randrange(len(self.world.things.words)),
                quality=maybe(0.6, len(self.world.qualities.words)),
                number=number,
                is_definite=rng.random() < 0.6,
            ),
            city=maybe(0.5, len(self.world.cities.words)),
            is_near=rng.random() < 0.5,
            day=maybe(0.4, len(DAYS)),
            manner=maybe(0.3, len(self.second.manners)),
            is_denied=rng.random() < 0.15,
            is_passive=rng.random() < 0.25,
            reporter=self._someone(rng) if rng.random() < 0.25 else None,
        )

    def _someone(self, rng: Random) -> Someone:
        return Someone(person=rng.randrange(len(self.world.people.words)), with_profession=rng.random() < 0.5)

    def varied(self, said: Proposition, rng: Random) -> Proposition:
        """The same people, things and deed with different content, for comparable texts that are not translations."""
        number = rng.randrange(len(_NUMBERS)) if rng.random() < 0.3 else None
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
        who, what, deed = self._who(said.subject), self._what(said.what), self.world.deeds.words[said.deed]
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
        verb = self._one_of(self.second.verbs[said.deed], rng)
        person, thing = self._person(said.subject), self._thing(said.what, rng)
        manner = f" {self.second.manners[said.manner][1]}" if said.manner is not None else ""
        near = "lângă" if said.is_near else "la"
        where = f" {near} {self.world.cities.words[said.city]}" if said.city is not None else ""
        when = f"pe {self.second.days[said.day]} " if said.day is not None else ""
        negation = "nu " if said.is_denied else ""
        if said.is_passive:
            clause = f"{when}{thing}{where} de {person} {negation}fost {verb}{manner}"
        else:
            clause = f"{when}{person}{where} {thing} {negation}{verb}{manner}"
        return clause + (f" , {self._person(said.reporter)} spus ." if said.reporter else " .")

    def glossary(self, rng: Random) -> tuple[str, str]:
        """A word or two in the first language, and in the second."""
        kind = rng.random()
        if kind < 0.5:
            something = Something(
                thing=rng.randrange(len(self.world.things.words)),
                quality=None,
                number=rng.randrange(len(_NUMBERS)) if rng.random() < 0.3 else None,
                is_definite=rng.random() < 0.6,
            )
            return self._what(something), self._thing(something, rng)
        if kind < 0.65:
            quality = rng.randrange(len(self.second.adjectives))
            stem = self.second.adjectives[quality]
            return self.world.qualities.words[quality], stem + rng.choice(_ADJECTIVE_ENDINGS)
        if kind < 0.85:
            deed = rng.randrange(len(self.second.verbs))
            return self.world.deeds.words[deed], self._one_of(self.second.verbs[deed], rng)
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
        quality = f"{self.world.qualities.words[something.quality]} " if something.quality is not None else ""
        thing = self.world.things.words[something.thing]
        if something.number is not None:
            return f"{_NUMBERS[something.number]} {quality}{thing}s"
        return f"{'the' if something.is_definite else 'a'} {quality}{thing}"

    def _thing(self, something: Something, rng: Random) -> str:
        noun = self._one_of(self.second.nouns[something.thing], rng)
        gender = self.second.genders[something.thing]
        is_plural = something.number is not None
        quality = ""
        if something.quality is not None:
            ending = _ADJECTIVE_ENDINGS[2 if is_plural else gender]
            quality = f" {self.second.adjectives[something.quality]}{ending}"
        if something.number is not None:
            return f"{self.second.numbers[something.number]} {noun}uri{quality}"
        if something.is_definite:
            return f"{noun}{('ul', 'aua')[gender]}{quality}"
        return f"{('un', 'o')[gender]} {noun}r{quality}"

    @staticmethod
    def _one_of(synonyms: tuple[str, ...], rng: Random) -> str:
        """The first word, or the rarer second one if there are two."""
        return synonyms[-1] if rng.random() < _P_SECOND_WORD else synonyms[0]
