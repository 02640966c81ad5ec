"""The words of the second language, and which of them say what words of the first say."""

from dataclasses import dataclass
from functools import cache
from random import Random

from unidelta.mini.lexicon import FIRST, SECOND, Lexicon
from unidelta.mini.world import DAYS, Class, world

NUMBERS = ("two", "three", "four", "five")
"""Numbers that sentences of both languages use."""
N_MANNERS = 8
"""How many adverbs there are."""
ADJECTIVE_ENDINGS = ("u", "i")
"""Singular, plural."""

_N_THINGS, _N_DEEDS, _N_QUALITIES = 384, 192, 192
_FIRST_FUNCTION_WORDS = "the a in near on was by said that not , .".split()
_FUNCTION_WORDS = "un o la lângă de fost nu , . pe spus".split()
_NOUN_ENDINGS = ("r", "ul", "aua", "uri")  # indefinite; definite of either gender; plural
_IDIOMS_PER_DEED = 1


@dataclass(frozen=True, slots=True)
class Content:
    """The things, deeds and qualities that have words in both languages: the most frequent ones of the world."""

    things: Class
    deeds: Class
    qualities: Class


@cache
def content(seed: int) -> Content:
    """Of the world of a seed."""
    this = world(seed)
    return Content(
        this.things.most_frequent(_N_THINGS),
        this.deeds.most_frequent(_N_DEEDS),
        this.qualities.most_frequent(_N_QUALITIES),
    )


@dataclass(frozen=True, slots=True)
class SecondLexicon:
    """Stems and words of the second language, by the index of the word they translate.

    Args:
        nouns: stems for each thing: one, or two synonyms.
        genders: 0 masculine, 1 feminine, for each thing.
        irregular: the plural of each thing that does not form it regularly; such a thing has no synonym.
        adjectives: a stem for each quality.
        verbs: words for each deed: one, or two synonyms.
        idioms: by deed and manner, the other deed whose verb says both.
        professions: a word for each profession.
        days, numbers: words.
        manners: pairs of adverbs, first and second language.
    """

    nouns: tuple[tuple[str, ...], ...]
    genders: tuple[int, ...]
    irregular: dict[int, str]
    adjectives: tuple[str, ...]
    verbs: tuple[tuple[str, ...], ...]
    idioms: dict[tuple[int, int], int]
    professions: tuple[str, ...]
    days: tuple[str, ...]
    numbers: tuple[str, ...]
    manners: tuple[tuple[str, str], ...]

    def vocabulary(self) -> tuple[str, ...]:
        """Every form of every word, in a fixed order."""
        nouns = [form for thing in range(len(self.nouns)) for form in self.forms_of_thing(thing)]
        adjectives = [stem + ending for stem in self.adjectives for ending in ADJECTIVE_ENDINGS]
        verbs = [verb for synonyms in self.verbs for verb in synonyms]
        manners = [word for _, word in self.manners]
        words = [*_FUNCTION_WORDS, *nouns, *adjectives, *verbs, *self.professions, *self.days, *self.numbers]
        return tuple(dict.fromkeys([*words, *manners]))

    def forms_of_thing(self, thing: int) -> list[str]:
        """Every form of every noun for a thing."""
        return [
            form
            for stem in self.nouns[thing]
            for form in (self.indefinite(stem), self.definite(thing, stem), self.plural(thing, stem))
        ]

    def indefinite(self, stem: str) -> str:
        """The form after an article."""
        return stem + _NOUN_ENDINGS[0]

    def definite(self, thing: int, stem: str) -> str:
        """The form whose ending is the article."""
        return stem + _NOUN_ENDINGS[1 + self.genders[thing]]

    def plural(self, thing: int, stem: str) -> str:
        """The form after a number."""
        return self.irregular.get(thing, stem + _NOUN_ENDINGS[3])


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

    n_things, n_deeds = _N_THINGS, _N_DEEDS
    irregular = range(1, n_things, 6)
    nouns = lexicon.stems(n_things + n_things // 3 + 1, SECOND, syllables=2, endings=_NOUN_ENDINGS)
    verbs = words(n_deeds + n_deeds // 3 + 1, 1, "it")
    manners = lexicon.words(N_MANNERS, SECOND, syllables=1, suffix="emte")
    return SecondLexicon(
        nouns=synonyms(nouns[:n_things], nouns[n_things:]),
        genders=tuple(rng.randrange(2) for _ in range(n_things)),
        irregular=dict(zip(irregular, words(len(irregular), 2, _NOUN_ENDINGS[3]), strict=True)),
        adjectives=lexicon.stems(_N_QUALITIES, SECOND, syllables=2, endings=ADJECTIVE_ENDINGS),
        verbs=synonyms(verbs[:n_deeds], verbs[n_deeds:]),
        idioms={
            (deed, manner): rng.choice([other for other in range(n_deeds) if other != deed])
            for deed in range(n_deeds)
            for manner in rng.sample(range(N_MANNERS), _IDIOMS_PER_DEED)
        },
        professions=words(len(first.people.kinds), 1, "or"),
        days=words(len(DAYS), 1, "eri"),
        numbers=words(len(NUMBERS), 1, "i"),
        manners=tuple(zip(_manners(seed), manners, strict=True)),
    )


@cache
def _manners(seed: int) -> tuple[str, ...]:
    """Adverbs of the first language; used only in sentences that exist in both languages."""
    taken = set(world(seed).vocabulary())
    return Lexicon(Random(f"unidelta/manners/{seed}"), taken).words(N_MANNERS, FIRST, syllables=1, suffix="ly")


def first_vocabulary(seed: int) -> tuple[str, ...]:
    """Every word of the first language that this grammar uses, in a fixed order."""
    this, shared = world(seed), content(seed)
    things = [form for thing in shared.things.words for form in (thing, f"{thing}s")]
    names = [*this.people.words, *this.people.kinds, *this.cities.words]
    content_words = [*things, *shared.deeds.words, *shared.qualities.words]
    return (*_FIRST_FUNCTION_WORDS, *DAYS, *NUMBERS, *names, *content_words, *_manners(seed))
