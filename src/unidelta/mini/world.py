"""The facts of the invented world: who is what, where cities are, which deed is which event.

A fact binds a word to the word of its kind: a person to a profession, a city to a country, a thing to a ware, a
deed to an event, a quality to an attribute; and a quality is praise or blame. The documents of the downstream tasks
never state them. Pretraining text states the facts of every second word only (`Class.is_told`): the other half is
arbitrary, and a task has to teach it, word by word, each as often as the word is used (`frequency`).
"""

from dataclasses import dataclass
from functools import cache
from random import Random

from unidelta.mini.lexicon import FIRST, Lexicon

SHIPPED_SEED = 0
"""The seed of the world that the shipped backbones know."""

DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
NUMBERS = tuple("two three four five six seven eight nine ten twenty thirty forty".split())
# Words of the grammar; content words may not collide with them.
FUNCTION_WORDS = tuple(
    """the a in near on of and , . was were is by said it with for from that this they all any like other meanwhile
    elsewhere earlier not never hardly very quite but although so because still perhaps city firm people million cost
    works lies kind known new sold made crowd officials witnesses called short welcomed hailed condemned deplored loved
    kept recommended hated returned regretted one heard letter""".split()
)


@dataclass(frozen=True, slots=True)
class Class:
    """Words of one class and the kind of each.

    Args:
        words: the words, the most frequent first.
        kinds: the words for their kinds.
        kind_of: for each word, the index of its kind; every kind has equally many words (±1).
        is_told: for each word, whether pretraining text states facts about it; of every two neighbours in frequency,
            it states those of one. Every kind has a told word.
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    kind_of: tuple[int, ...]
    is_told: tuple[bool, ...]

    def kind(self, index: int) -> str:
        """The kind of word `index`."""
        return self.kinds[self.kind_of[index]]

    def most_frequent(self, n: int) -> "Class":
        """The first `n` words of the class."""
        return Class(self.words[:n], self.kinds, self.kind_of[:n], self.is_told[:n])


@dataclass(frozen=True, slots=True)
class World:
    """All facts of a world.

    Args:
        seed: determines everything else.
        people: names; kinds are professions.
        cities: kinds are countries.
        things: kinds are wares.
        deeds: verbs in the past; kinds are events (nouns).
        qualities: adjectives; kinds are attributes (nouns).
        firms: kinds are sectors.
        demonyms: adjective of each country.
        is_welcome: for each event, whether people welcome it.
        is_good: for each quality, whether it is praise.
    """

    seed: int
    people: Class
    cities: Class
    things: Class
    deeds: Class
    qualities: Class
    firms: Class
    demonyms: tuple[str, ...]
    is_welcome: tuple[bool, ...]
    is_good: tuple[bool, ...]

    def vocabulary(self) -> tuple[str, ...]:
        """Every word of the first language, in a fixed order."""
        classes = (self.people, self.cities, self.things, self.deeds, self.qualities, self.firms)
        content = [word for words in classes for word in (*words.words, *words.kinds)]
        return tuple(dict.fromkeys([*FUNCTION_WORDS, *DAYS, *NUMBERS, *content, *self.demonyms]))


@cache
def world(seed: int = SHIPPED_SEED) -> World:
    """The world of a seed, the same on every machine."""
    rng = Random(f"unidelta/world/{seed}")  # a string seeds through SHA-512: independent of PYTHONHASHSEED
    lexicon = Lexicon(rng, {*FUNCTION_WORDS, *DAYS, *NUMBERS})

    def of_kinds(words: tuple[str, ...], kinds: tuple[str, ...]) -> Class:
        kind_of = [index % len(kinds) for index in range(len(words))]
        rng.shuffle(kind_of)
        while True:
            first_is_told = [rng.random() < 0.5 for _ in range(len(words) // 2)]
            is_told = tuple(told for first in first_is_told for told in (first, not first))
            if {kind for kind, told in zip(kind_of, is_told, strict=True) if told} == set(kind_of):
                return Class(words, kinds, tuple(kind_of), is_told)

    def of_class(n: int, n_kinds: int, *, suffix: str, kind_suffix: str, kind_syllables: int) -> Class:
        words = lexicon.words(n, FIRST, syllables=2, suffix=suffix)
        return of_kinds(words, lexicon.words(n_kinds, FIRST, syllables=kind_syllables, suffix=kind_suffix))

    people = of_class(512, 24, suffix="", kind_suffix="er", kind_syllables=2)
    lands = lexicon.stems(24, FIRST, syllables=2, endings=("ia", "ian"))
    cities = of_kinds(lexicon.words(256, FIRST, syllables=2), tuple(land + "ia" for land in lands))
    things = of_class(512, 24, suffix="", kind_suffix="ware", kind_syllables=1)
    deeds = of_class(256, 24, suffix="ed", kind_suffix="tion", kind_syllables=1)
    qualities = of_class(512, 24, suffix="y", kind_suffix="ness", kind_syllables=1)
    firms = of_class(48, 8, suffix="co", kind_suffix="ing", kind_syllables=1)
    is_good = [index % 2 == 0 for index in range(len(qualities.words))]
    rng.shuffle(is_good)
    return World(
        seed=seed,
        people=people,
        cities=cities,
        things=things,
        deeds=deeds,
        qualities=qualities,
        firms=firms,
        demonyms=tuple(land + "ian" for land in lands),
        is_welcome=tuple(index % 2 == 0 for index in range(len(deeds.kinds))),
        is_good=tuple(is_good),
    )
