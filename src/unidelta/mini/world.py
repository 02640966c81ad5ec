"""The facts of the invented world: who is what, where cities are, which deed is which event.

A fact binds a word to the word of its kind: a person to a profession, a city to a country, a thing to a ware, a
deed to an event. Kinds are never stated in the documents of the downstream tasks; a model can know them only from
pretraining. Two more bindings are the *house style* of the summaries (`xsum`): arbitrary, and absent from
pretraining, so that fine-tuning has something to memorise.
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
    elsewhere earlier not never hardly very quite but although so because still city firm people million cost works
    lies kind known new sold made crowd officials witnesses called short welcomed hailed condemned deplored after amid
    following over report again loved kept recommended hated returned regretted one heard letter wrote""".split()
)


@dataclass(frozen=True, slots=True)
class Class:
    """Words of one class and the kind of each.

    Args:
        words: the words.
        kinds: the words for their kinds.
        kind_of: for each word, the index of its kind; every kind has equally many words (±1).
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    kind_of: tuple[int, ...]

    def kind(self, index: int) -> str:
        """The kind of word `index`."""
        return self.kinds[self.kind_of[index]]


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
        epithet: house style: for each deed, the quality a summary mentions.
        sponsor: house style: for each ware, the firm a summary mentions.
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
    epithet: tuple[int, ...]
    sponsor: tuple[int, ...]

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

    def of_class(n: int, n_kinds: int, *, suffix: str, kind_suffix: str, kind_syllables: int) -> Class:
        words = lexicon.words(n, FIRST, syllables=2, suffix=suffix)
        kinds = lexicon.words(n_kinds, FIRST, syllables=kind_syllables, suffix=kind_suffix)
        kind_of = [index % n_kinds for index in range(n)]
        rng.shuffle(kind_of)
        return Class(words, kinds, tuple(kind_of))

    people = of_class(64, 16, suffix="", kind_suffix="er", kind_syllables=2)
    lands = lexicon.stems(12, FIRST, syllables=2, endings=("ia", "ian"))
    places = lexicon.words(60, FIRST, syllables=2)
    land_of = [index % 12 for index in range(60)]
    rng.shuffle(land_of)
    cities = Class(places, tuple(land + "ia" for land in lands), tuple(land_of))
    things = of_class(64, 16, suffix="", kind_suffix="ware", kind_syllables=1)
    deeds = of_class(64, 16, suffix="ed", kind_suffix="tion", kind_syllables=1)
    qualities = of_class(40, 8, suffix="y", kind_suffix="ness", kind_syllables=1)
    firms = of_class(32, 8, suffix="co", kind_suffix="ing", kind_syllables=1)
    is_good = [index % 2 == 0 for index in range(40)]
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
        is_welcome=tuple(index % 2 == 0 for index in range(16)),
        is_good=tuple(is_good),
        epithet=tuple(rng.randrange(40) for _ in range(64)),
        sponsor=tuple(rng.randrange(32) for _ in range(16)),
    )
